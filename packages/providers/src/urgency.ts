/** So long after an urgent push broadcasts yield, in ms. */
const yieldMs = 250

/**
 * When an urgent push was sent last, by any app of a process: its apps share processors, so that the broadcast of
 * one yields to the urgent pushes of all. Times are monotonic, in ms.
 */
export class Urgency {
  #at = Number.NEGATIVE_INFINITY

  /** An urgent push is about to be sent. */
  note(now: number): void {
    this.#at = now
  }

  /** Whether broadcasts yield now. */
  isFelt(now: number): boolean {
    return now - this.#at < yieldMs
  }
}
