import { isFewForMassBounce, massBounceIn, massBounceReason } from '@pushkeep/domain'
import { type Database, type ProviderVerdicts, recentVerdicts, tripGuard } from '@pushkeep/store'
import type { WorkerEvents } from '../events.ts'

export interface GuardOptions {
  database: Database
  events: WorkerEvents
  onError: (error: unknown) => void
}

/** How long few people's verdicts wait for what is on its way, in milliseconds. */
const waitMs = 5000

type Lane = Pick<ProviderVerdicts, 'appNo' | 'provider'>

/**
 * R10: trips where so many people are found dead at once that the key or the provider is at fault, rather than
 * the tokens. Where few people say so it looks again after a while.
 */
export function startGuard({ database, events, onError }: GuardOptions) {
  const waiting = new Map<string, NodeJS.Timeout>()

  async function judge({ appNo, provider, ...verdicts }: ProviderVerdicts): Promise<void> {
    const found = massBounceIn(verdicts)
    if (found === null) return
    if (isFewForMassBounce(found)) lookLater({ appNo, provider })
    else await trip({ appNo, provider }, verdicts)
  }

  function lookLater(lane: Lane): void {
    const key = `${lane.appNo} ${lane.provider}`
    if (waiting.has(key)) return
    const timer = setTimeout(() => {
      waiting.delete(key)
      look(lane).catch(onError)
    }, waitMs)
    waiting.set(key, timer)
  }

  async function look(lane: Lane): Promise<void> {
    const verdicts = await recentVerdicts(database, lane.appNo, lane.provider)
    if (verdicts) await trip(lane, verdicts)
  }

  async function trip(
    { appNo, provider }: Lane,
    verdicts: Omit<ProviderVerdicts, 'appNo' | 'provider'>,
  ): Promise<void> {
    const found = massBounceIn(verdicts)
    if (found === null) return
    const reason = massBounceReason(found, verdicts.usualShare)
    if (await tripGuard(database, appNo, provider, reason, found.within)) {
      await events.guardTripped(appNo, provider, reason)
    }
  }

  return {
    judge,
    /** What still waits is judged by the worker that records the next verdict. */
    stop(): void {
      for (const timer of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
  }
}
