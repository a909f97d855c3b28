/** Times in ms. */
export interface PaceSettings {
  /** Requests in flight once answers come: with fewer, frames no longer share system calls. */
  inFlightMin: number
  /** Requests in flight before the first answers after a pause. */
  inFlightStart: number
}

// An answer this much later than the fastest one has waited in a queue: the peer's or our own. The
// slack is what an event loop that also writes outcomes back takes now and then.
const patience = 1.25
const slackMs = 5

/** After so long without a request the next ones begin anew, in ms. */
const pauseMs = 1000

/** How long a fastest answer counts; then it is measured anew, with half as many in flight. */
const periodMs = 10_000

/**
 * How many requests to keep in flight: as many as the peer's answer time needs, and no more, since
 * what is in flight when this process is killed is in doubt (R5). It grows by half in the time of an
 * answer while answers come as fast as they can, and shrinks when they begin to queue (as TCP Vegas
 * does: https://doi.org/10.1145/190314.190317). It begins small, so that a few hundred pushes are not all
 * in flight at once; each answer makes room for three more until `inFlightMin` is reached.
 */
export class Pace {
  readonly #min: number
  readonly #start: number
  #limit: number
  #fastest = Number.POSITIVE_INFINITY
  #fastestBefore = Number.POSITIVE_INFINITY
  #periodAt = Number.NEGATIVE_INFINITY
  #requestedAt = Number.NEGATIVE_INFINITY

  constructor(settings: PaceSettings) {
    this.#min = settings.inFlightMin
    this.#start = Math.min(settings.inFlightStart, settings.inFlightMin)
    this.#limit = this.#start
  }

  /** Requests that may be in flight now. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** A request is about to be sent. */
  requested(now: number): void {
    if (now - this.#requestedAt > pauseMs) this.#limit = Math.min(this.#limit, this.#start)
    this.#requestedAt = now
  }

  /** An answer came after `ms`, while `inFlight` requests were under way; `max` can be carried. */
  answered(ms: number, inFlight: number, max: number, now: number): void {
    if (now - this.#periodAt >= periodMs) this.#startPeriod(now)
    if (ms < this.#fastest) this.#fastest = ms
    if (this.#limit < this.#min) {
      this.#limit = Math.min(this.#min, this.#limit + 3)
      return
    }
    const fastest = Math.min(this.#fastest, this.#fastestBefore)
    if (ms > fastest * patience + slackMs) {
      this.#limit = Math.max(this.#min, this.#limit - 0.25)
    } else if (inFlight >= this.#limit * 0.75) {
      // Only what was used has been tried.
      this.#limit = Math.max(this.#min, Math.min(max, this.#limit + 0.5))
    }
  }

  #startPeriod(now: number): void {
    this.#periodAt = now
    this.#fastestBefore = this.#fastest
    this.#fastest = Number.POSITIVE_INFINITY
    // A queue that always stands would pass for the answer time.
    if (this.#limit > this.#min) this.#limit = Math.max(this.#min, this.#limit / 2)
  }
}
