import { setTimeout as wait } from 'node:timers/promises'
import { type Child, type ChildOptions, startChild } from './child.ts'

export interface ServiceOptions {
  child: ChildOptions
  /** Whether it is started again when it dies by itself. */
  restart: boolean
  /** What an operator should know, in words. */
  report: (news: string) => void
  /** Another process runs now, or none. */
  onChange: () => void
}

const firstPauseMs = 500
const longestPauseMs = 30_000
/** Having run that long, the next death counts as the first again. */
const steadyMs = 60_000

/** One process of the installation, started again with growing pauses when it dies by itself. */
export class Service {
  readonly name: string
  readonly #options: ServiceOptions
  #child: Child | null = null
  #wanted = new AbortController()
  #life: Promise<void> = Promise.resolve()

  constructor(options: ServiceOptions) {
    this.name = options.child.name
    this.#options = options
  }

  /** The process that runs now; null while none does. */
  get child(): Child | null {
    return this.#child
  }

  /** Starts it, and resolves once it is ready; rejects where it does not come up. */
  async start(): Promise<Child> {
    this.#wanted = new AbortController()
    const started = this.#startOnce()
    const settled = started.then(
      () => this.#keepAlive(),
      () => {},
    )
    this.#life = settled
    return started
  }

  /** Ends it and waits until it is down. */
  async stop(deadlineMs?: number): Promise<void> {
    this.#wanted.abort()
    await this.#child?.stop(deadlineMs)
    await this.#life
  }

  async #startOnce(): Promise<Child> {
    const { signal } = this.#wanted
    const child = await startChild({ ...this.#options.child, signal })
    this.#child = child
    this.#options.onChange()
    // It became ready in the moment in which it was called off.
    if (signal.aborted) await child.stop()
    return child
  }

  /** Follows the process through its deaths until it is no longer wanted. */
  async #keepAlive(): Promise<void> {
    let pauseMs = firstPauseMs
    while (this.#child) {
      const startedAt = performance.now()
      const code = await this.#child.exited
      this.#child = null
      this.#options.onChange()
      if (performance.now() - startedAt > steadyMs) pauseMs = firstPauseMs
      const fault = this.#wanted.signal.aborted ? null : `${this.name} ended with ${code}`
      if (fault !== null) await this.#startAgain(fault, pauseMs)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }

  async #startAgain(fault: string, firstMs: number): Promise<void> {
    const { restart, report } = this.#options
    if (!restart) {
      report(fault)
      return
    }
    let news = fault
    for (let pauseMs = firstMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      report(`${news}; it is started again in ${pauseMs / 1000} s`)
      try {
        await wait(pauseMs, null, { signal: this.#wanted.signal })
        await this.#startOnce()
        report(`${this.name} runs again`)
        return
      } catch (error) {
        if (this.#wanted.signal.aborted) return
        news = error instanceof Error ? error.message : String(error)
      }
    }
  }
}
