import { Urgency } from './urgency.ts'

/** Times in ms. */
export interface PaceSettings {
  /** Requests in flight once answers come: with fewer, frames no longer share system calls. */
  inFlightMin: number
  /** Requests in flight before the first answers after a pause. */
  inFlightStart: number
  /** Shared by peers that yield to one another's urgent requests; left out: this one's alone. */
  urgency?: Urgency
}

// An answer this much later than the fastest one has waited in a queue: the peer's or our own. The
// slack is what an event loop that also writes outcomes back takes now and then.
const patience = 1.25
const slackMs = 5

/** A peer whose fastest answer takes so long needs many in flight, and soon, in ms. */
const slowAnswerMs = 15

/** So many answers tell that: the first ones of a process that has just started are late by themselves. */
const slowAnswers = 16

/** And so many where one-person pushes have just met a quick peer. */
const slowAnswersDespite = 100

/** So many looks without an answer tell a peer that takes its time from a process that stood still. */
const stillLooks = 4

/**
 * What a burst that begins may have more in flight, as a share of what has been answered: of one to a
 * few hundred a kill leaves a handful in doubt, however slowly it goes.
 */
const quickGrowth = 1 / 50

/** The time in which a slow peer is met by e times as many, in ms. */
const slowGrowthMs = 120

/** After so long without a request the next ones begin small, in ms. */
const pauseMs = 1000

/** After so long without a request, and none under way, the answer time is measured anew, in ms. */
const breathMs = 100

/** How long a fastest answer counts; then it is measured anew, with half as many in flight. */
const periodMs = 10_000

/** They give up this share of those that only share system calls: they are as quick without, and others quicker. */
const yieldShare = 15 / 16

/** But they keep as many as a peer needs for so many a second: one whose answers take their time needs more. */
const yieldedPerSecond = 2500

/**
 * How many requests to keep in flight: as many as the peer's answer time needs, and no more, since
 * what is in flight when this process is killed is in doubt (R5). It grows by half in the time of an
 * answer while answers come as fast as they can, and shrinks when they begin to queue (as TCP Vegas
 * does: https://doi.org/10.1145/190314.190317). It begins small and grows with what was answered, so that
 * of a few hundred pushes a kill leaves few in doubt. Where answers take their time, it grows faster until
 * they begin to queue; where they come at once, a few in flight keep the connection busy, and only a long
 * broadcast is worth more.
 */
export class Pace {
  readonly #min: number
  readonly #start: number
  #limit: number
  #fastest = Number.POSITIVE_INFINITY
  #fastestBefore = Number.POSITIVE_INFINITY
  #periodAt = Number.NEGATIVE_INFINITY
  #requestedAt = Number.NEGATIVE_INFINITY
  /** Answers since the time was measured anew. */
  #answers = 0
  /** Looks at those that wait since the last answer. */
  #looks = 0
  /** The fastest answer to an urgent request while no other was sent: it met an idle peer. */
  #fastestAtRest = Number.POSITIVE_INFINITY
  /** Answers that it takes to call the peer slow. */
  #slowAnswers = slowAnswers
  /** Answers queued since this burst began: what is in flight is about enough. */
  #hasQueued = false
  readonly #urgency: Urgency
  #isYielding = false

  constructor(settings: PaceSettings) {
    this.#min = settings.inFlightMin
    this.#start = Math.min(settings.inFlightStart, settings.inFlightMin)
    this.#limit = this.#start
    this.#urgency = settings.urgency ?? new Urgency()
  }

  /** Requests that may be in flight now. */
  get limit(): number {
    if (!this.#isYielding) return Math.floor(this.#limit)
    const given = this.#min * yieldShare
    const kept = Math.max(this.#min - given, this.#limit - given, this.#needed)
    return Math.floor(Math.min(this.#limit, kept))
  }

  /** In flight for `yieldedPerSecond`; 0 before the first answer. */
  get #needed(): number {
    const fastest = Math.min(this.#fastest, this.#fastestBefore)
    return Number.isFinite(fastest) ? (fastest * yieldedPerSecond) / 1000 : 0
  }

  /** An urgent request is about to be sent. What waits in line before it, here and at the peer, delays it. */
  urgent(now: number): void {
    this.#urgency.note(now)
    this.#isYielding = true
  }

  /** A request is about to be sent while `inFlight` are under way. */
  requested(now: number, inFlight: number): void {
    const pause = now - this.#requestedAt
    this.#requestedAt = now
    this.#lookAt(now)
    if (pause > pauseMs) {
      this.#limit = Math.min(this.#limit, this.#start)
      this.#hasQueued = false
    }
    // (While some are under way, answers come out of a queue.)
    if (pause > breathMs && inFlight === 0) this.#measureAnew(now)
  }

  /** An answer came after `ms`, while `inFlight` requests were under way; `max` can be carried. */
  answered(ms: number, inFlight: number, max: number, now: number): void {
    if (now - this.#periodAt >= periodMs) this.#startPeriod(now)
    if (ms < this.#fastest) this.#fastest = ms
    this.#answers += 1
    this.#looks = 0
    this.#lookAt(now)
    if (now - this.#requestedAt > breathMs) {
      this.#fastestAtRest = Math.min(this.#fastestAtRest, ms)
    }
    const fastest = Math.min(this.#fastest, this.#fastestBefore)
    const isSlow = fastest >= slowAnswerMs && this.#answers > this.#slowAnswers
    if (this.#limit < this.#min) {
      const growth = isSlow ? fastest / slowGrowthMs : quickGrowth
      this.#limit = Math.min(this.#min, this.#limit + growth)
      return
    }
    if (ms > fastest * patience + slackMs) {
      this.#hasQueued = true
      this.#limit = Math.max(this.#min, this.#limit - 0.25)
    } else if (inFlight >= this.#limit * 0.75) {
      // Only what was used has been tried.
      const step = isSlow && !this.#hasQueued ? 1 : 0.5
      this.#limit = Math.max(this.#min, Math.min(max, this.#limit + step))
    }
  }

  /**
   * Some wait while `inFlight` are under way; to be called every few hundredths of a second. Where none was
   * answered for a while, a slow peer must not be met by a handful at a time.
   */
  waited(inFlight: number): void {
    this.#looks += 1
    if (this.#looks >= stillLooks && inFlight >= this.limit && this.#limit < this.#min) {
      this.#limit = Math.min(this.#min, this.#limit * 1.5)
    }
  }

  /** Whether others yield is told anew here, and not for each push that asks how many may be in flight. */
  #lookAt(now: number): void {
    this.#isYielding = this.#urgency.isFelt(now)
  }

  /** The peer may have become another one meanwhile. */
  #measureAnew(now: number): void {
    this.#answers = 0
    this.#slowAnswers = this.#fastestAtRest < slowAnswerMs ? slowAnswersDespite : slowAnswers
    this.#fastestAtRest = Number.POSITIVE_INFINITY
    this.#periodAt = now
    this.#fastest = Number.POSITIVE_INFINITY
    this.#fastestBefore = Number.POSITIVE_INFINITY
  }

  #startPeriod(now: number): void {
    this.#periodAt = now
    this.#fastestBefore = this.#fastest
    this.#fastest = Number.POSITIVE_INFINITY
    // A queue that always stands would pass for the answer time.
    if (this.#limit > this.#min) this.#limit = Math.max(this.#min, this.#limit / 2)
  }
}
