import { type Backoff, backoffCeilingMs } from '@pushkeep/domain'

/**
 * After a failure nothing is tried for a while, which doubles with each in a row; jitter takes up to half of it
 * off. `clock` in ms.
 */
export class FailurePause {
  readonly #backoff: Backoff
  readonly #clock: () => number
  readonly #random: () => number
  #failures = 0
  #until = Number.NEGATIVE_INFINITY

  constructor(backoff: Backoff, clock: () => number, random: () => number) {
    this.#backoff = backoff
    this.#clock = clock
    this.#random = random
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures
  }

  get isOver(): boolean {
    return this.#clock() >= this.#until
  }

  failed(): void {
    this.#failures += 1
    const ceilingMs = backoffCeilingMs(this.#backoff, this.#failures)
    this.#until = this.#clock() + ceilingMs * (1 - this.#random() / 2)
  }

  /** The next failure is a first one. */
  succeeded(): void {
    this.#failures = 0
  }
}
