/** Times in ms. */
export interface SilenceSettings {
  /** Silence after which a PING goes out, with streams open and without. */
  pingBusyMs: number
  pingIdleMs: number
  /** A PING unanswered for so long means that the connection is half-open. */
  pingTimeoutMs: number
}

/** Judges from what was heard of a peer, and when, whether it has to be asked or given up. */
export class SilenceWatch {
  readonly #settings: SilenceSettings
  #heardAt: number
  #askedAt: number | null = null

  constructor(settings: SilenceSettings, now: number) {
    this.#settings = settings
    this.#heardAt = now
  }

  heard(now: number): void {
    this.#heardAt = now
  }

  /** To be called with the answer to a PING. */
  answered(now: number): void {
    this.#heardAt = now
    this.#askedAt = null
  }

  /** What to do now; `ask` counts as done. */
  judge(now: number, isBusy: boolean): 'wait' | 'ask' | 'give-up' {
    const { pingBusyMs, pingIdleMs, pingTimeoutMs } = this.#settings
    if (this.#askedAt !== null) return now - this.#askedAt < pingTimeoutMs ? 'wait' : 'give-up'
    if (now - this.#heardAt < (isBusy ? pingBusyMs : pingIdleMs)) return 'wait'
    this.#askedAt = now
    return 'ask'
  }
}
