import type { MessageSums, OpenBreaker, ProviderSums, WorkerReport } from '@pushkeep/store'
import type { Sums } from './sums.ts'

export interface ReporterOptions {
  /** A UUID of this process. */
  worker: string
  sums: Sums
  /** Breakers that are open now. */
  openBreakers: () => Promise<OpenBreaker[]>
  /** Adds sums to those that are stored, all or nothing. */
  add: (
    report: WorkerReport,
    providers: readonly ProviderSums[],
    messages: readonly MessageSums[],
  ) => Promise<void>
  /** Takes the process's report back. */
  end: (worker: string) => Promise<void>
  intervalMs: number
  now: () => number
  onError: (error: unknown) => void
}

/**
 * Tells the database now and then what this process saw. What could not be told is told with the
 * next: without a database little is sent, so that little gathers.
 */
export function startReporter(options: ReporterOptions) {
  const { worker, sums } = options
  const startedAt = options.now()
  let isBusy = false
  let idle: Promise<void> = Promise.resolve()

  async function tell(): Promise<void> {
    isBusy = true
    const taken = sums.take()
    try {
      const breakers = await options.openBreakers()
      await options.add({ worker, startedAt, breakers }, taken.providers, taken.messages)
    } catch (error) {
      sums.putBack(taken)
      options.onError(error)
    } finally {
      isBusy = false
    }
  }

  const tick = () => {
    if (!isBusy) idle = tell()
  }
  const timer = setInterval(tick, options.intervalMs)
  tick()
  return {
    /** Tells the rest, once nothing more comes, and that the process ends in good order. */
    async stop() {
      clearInterval(timer)
      await idle
      await tell()
      await options.end(worker).catch(options.onError)
    },
  }
}
