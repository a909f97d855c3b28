import { type Arrival, FATE, type Fate, REPEAT_BY, SOURCES } from './arrival.ts'
import { type Fingerprint, mixIn, newFingerprint } from './fingerprints.ts'
import { Seen } from './seen.ts'
import { type Slab, TOKEN } from './slab.ts'

/** Repeats that are listed one by one; further ones are counted only. */
const REPEATS_LISTED_MAX = 10_000

/** What `GET /received/count` says of one provider, or of both. */
export interface ReceivedCount {
  requests: number
  accepted: number
  distinct_tokens: number
  duplicates: number
}

/** One accepted request for a token and key that had been accepted before. */
export interface Repeat {
  provider: 'apns' | 'fcm'
  by: Arrival['repeatBy']
  token: string
  key: string
}

/**
 * One provider's counts. They cover everything since the last reset, also what the journal has
 * dropped, and cost 43 to 85 bytes a distinct token, and 21 to 43 for each further key of it.
 */
export class Accounting {
  requests = 0
  accepted = 0
  duplicates = 0
  readonly repeats: Repeat[] = []
  readonly #seen = new Seen()
  readonly #token = newFingerprint()
  readonly #pair = newFingerprint()

  /** Counts one arrival, whose texts the slab has just written. */
  add(arrival: Arrival, fate: Fate, slab: Slab): void {
    this.requests += 1
    if (fate === FATE.refused) return
    this.accepted += 1
    if (arrival.token === '') return
    this.#token.fill(0)
    mixField(this.#token, slab, TOKEN)
    if (arrival.repeatBy === REPEAT_BY.nothing) {
      this.#seen.note(this.#token, null)
      return
    }
    this.#pair.set(this.#token)
    mixField(this.#pair, slab, arrival.repeatBy)
    if (this.#seen.note(this.#token, this.#pair)) this.#noteRepeat(arrival)
  }

  count(): ReceivedCount {
    return {
      requests: this.requests,
      accepted: this.accepted,
      distinct_tokens: this.#seen.tokens,
      duplicates: this.duplicates,
    }
  }

  clear(): void {
    this.requests = 0
    this.accepted = 0
    this.duplicates = 0
    this.repeats.length = 0
    this.#seen.clear()
  }

  #noteRepeat(arrival: Arrival): void {
    this.duplicates += 1
    if (this.repeats.length >= REPEATS_LISTED_MAX) return
    const { provider } = SOURCES[arrival.source]
    this.repeats.push({
      provider,
      by: arrival.repeatBy,
      token: arrival.token,
      key: repeatKey(arrival),
    })
  }
}

function mixField(print: Fingerprint, slab: Slab, field: number): void {
  mixIn(print, slab.words, slab.starts[field] ?? 0, slab.lengths[field] ?? 0)
}

/** The text whose second occurrence for a token makes a duplicate; empty where nothing tells. */
export function repeatKey(arrival: {
  repeatBy: Arrival['repeatBy']
  id: string
  collapseId: string
  messageId: string
}): string {
  switch (arrival.repeatBy) {
    case REPEAT_BY.apnsId:
      return arrival.id
    case REPEAT_BY.collapseId:
      return arrival.collapseId
    case REPEAT_BY.messageId:
      return arrival.messageId
    case REPEAT_BY.nothing:
      return ''
  }
}
