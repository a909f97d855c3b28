/** Time that goes on when a test says so. */
export class ManualTime {
  #now: number
  #timers: { at: number; work: () => void }[] = []

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now = (): number => this.#now

  setTimer = (work: () => void, ms: number): unknown => {
    const timer = { at: this.#now + ms, work }
    this.#timers.push(timer)
    return timer
  }

  clearTimer = (timer: unknown): void => {
    this.#timers = this.#timers.filter((one) => one !== timer)
  }

  /** Moves the clock without running what is due: somebody sets it, or the phone sleeps. */
  set(now: number): void {
    this.#now = now
  }

  /** Ms until the next timer; null where none is set. */
  get next(): number | null {
    const times = this.#timers.map(({ at }) => at - this.#now)
    return times.length === 0 ? null : Math.min(...times)
  }

  /** Lets time pass, timer by timer, each with all that follows from it. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await idle()
      const [first] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
      if (!first) break
      this.clearTimer(first)
      this.#now = Math.max(this.#now, first.at)
      first.work()
    }
    this.#now = until
    await idle()
  }
}

/** Waits until nothing more happens without a timer or the network. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
