import { type Arrival, FATE, type Fate, type RepeatBy, SOURCES } from './arrival.ts'
import { Interned } from './interned.ts'
import { SEGMENT_ENTRIES, Segment } from './segment.ts'
import { BODY, COLLAPSE_ID, ID, MESSAGE_ID, type Slab, TOKEN } from './slab.ts'

/** Where one entry stands. */
export interface Place {
  seq: number
  segment: Segment
  index: number
}

/** One entry of the journal, decoded. */
export interface Entry {
  seq: number
  at: number
  source: (typeof SOURCES)[number]
  status: number
  reason: string
  topic: string
  pushType: string
  connection: number
  token: string
  id: string
  collapseId: string
  messageId: string
  repeatBy: RepeatBy
  accepted: boolean
  lost: boolean
  body: string
}

/** Every request in the order of its arrival, bounded: the oldest are dropped past `limit`. */
export class Journal {
  readonly #limit: number
  readonly #reasons = new Interned()
  readonly #topics = new Interned()
  readonly #pushTypes = new Interned()
  #segments: Segment[] = []
  /** The seq of the first entry of the first segment. */
  #base = 0
  #next = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Entries dropped since the last reset. */
  get dropped(): number {
    return Math.max(0, this.#next - this.#limit)
  }

  /** Appends an entry and returns the slab that holds its texts. */
  append(arrival: Arrival, status: number, reason: string, fate: Fate, at: number): Slab {
    const index = (this.#next - this.#base) % SEGMENT_ENTRIES
    if (index === 0) this.#newSegment()
    const segment = this.#segments.at(-1)
    if (segment === undefined) throw new Error('The journal has no segment to write to')
    this.#next += 1
    return segment.put(index, arrival, fate, {
      at,
      status,
      reason: this.#reasons.code(reason),
      topic: this.#topics.code(arrival.topic),
      pushType: this.#pushTypes.code(arrival.pushType),
    })
  }

  /** Walks the entries after a seq, oldest first. The first seq is 1. */
  *places(after = 0): Generator<Place> {
    for (let seq = Math.max(after, this.dropped) + 1; seq <= this.#next; seq++) {
      const offset = seq - 1 - this.#base
      const segment = this.#segments[Math.floor(offset / SEGMENT_ENTRIES)]
      if (segment === undefined) return
      yield { seq, segment, index: offset % SEGMENT_ENTRIES }
    }
  }

  read({ seq, segment, index }: Place): Entry {
    const source = SOURCES[segment.source[index] ?? 0]
    if (source === undefined) throw new Error('A journal entry has no source')
    const fate = segment.fate[index]
    return {
      seq,
      source,
      at: segment.at[index] ?? 0,
      status: segment.status[index] ?? 0,
      reason: this.#reasons.text(segment.reason[index] ?? 0),
      topic: this.#topics.text(segment.topic[index] ?? 0),
      pushType: this.#pushTypes.text(segment.pushType[index] ?? 0),
      connection: segment.connection[index] ?? 0,
      token: segment.text(index, TOKEN),
      id: segment.text(index, ID),
      collapseId: segment.text(index, COLLAPSE_ID),
      messageId: segment.text(index, MESSAGE_ID),
      repeatBy: repeatByOf(segment.repeatBy[index]),
      accepted: fate === FATE.accepted || fate === FATE.lost,
      lost: fate === FATE.lost,
      body: segment.text(index, BODY),
    }
  }

  clear(): void {
    this.#segments = []
    this.#base = 0
    this.#next = 0
  }

  #newSegment(): void {
    this.#segments.push(new Segment())
    // A segment goes when its last entry is past the limit, so at most one too many is kept.
    while (this.#base + SEGMENT_ENTRIES <= this.#next - this.#limit) {
      this.#segments.shift()
      this.#base += SEGMENT_ENTRIES
    }
  }
}

function repeatByOf(code: number | undefined): RepeatBy {
  return code === 1 || code === 2 || code === 3 ? code : 0
}
