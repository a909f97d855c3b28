interface Waiter {
  isMet: () => boolean
  settle: (met: boolean) => void
}

/** Callers that wait for a condition which only an arrival can make true. */
export class Waiters {
  #waiting: Waiter[] = []

  /** True as soon as the condition holds, false when the time is up or the simulator closes. */
  wait(isMet: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isMet()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        isMet,
        settle: (met) => {
          clearTimeout(timer)
          this.#waiting = this.#waiting.filter((other) => other !== waiter)
          resolve(met)
        },
      }
      const timer = setTimeout(() => waiter.settle(false), timeoutMs)
      this.#waiting.push(waiter)
    })
  }

  /** To be called after each arrival. */
  check(): void {
    if (this.#waiting.length === 0) return
    for (const waiter of this.#waiting) if (waiter.isMet()) waiter.settle(true)
  }

  giveUp(): void {
    for (const waiter of this.#waiting) waiter.settle(false)
  }
}
