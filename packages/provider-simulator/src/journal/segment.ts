import type { Arrival, Fate } from './arrival.ts'
import { aligned, FIELDS, Slab, TOKEN } from './slab.ts'

export const SEGMENT_ENTRIES = 16_384

/** The numbers of one entry; its texts lie in a slab. */
export interface Numbers {
  at: number
  status: number
  reason: number
  topic: number
  pushType: number
}

/** A run of consecutive entries: one typed array a column, dropped as a whole when it is too old. */
export class Segment {
  readonly at = new Float64Array(SEGMENT_ENTRIES)
  readonly status = new Uint16Array(SEGMENT_ENTRIES)
  readonly reason = new Uint16Array(SEGMENT_ENTRIES)
  readonly topic = new Uint16Array(SEGMENT_ENTRIES)
  readonly pushType = new Uint16Array(SEGMENT_ENTRIES)
  readonly source = new Uint8Array(SEGMENT_ENTRIES)
  readonly fate = new Uint8Array(SEGMENT_ENTRIES)
  readonly repeatBy = new Uint8Array(SEGMENT_ENTRIES)
  readonly connection = new Uint32Array(SEGMENT_ENTRIES)
  readonly #slabOf = new Uint16Array(SEGMENT_ENTRIES)
  readonly #start = new Uint32Array(SEGMENT_ENTRIES)
  readonly #lengths = new Uint32Array(SEGMENT_ENTRIES * FIELDS)
  readonly #slabs: Slab[] = [new Slab()]

  /** Writes entry `index` and returns the slab that holds its texts. */
  put(index: number, arrival: Arrival, fate: Fate, numbers: Numbers): Slab {
    const slab = this.#write(arrival)
    this.at[index] = numbers.at
    this.status[index] = numbers.status
    this.reason[index] = numbers.reason
    this.topic[index] = numbers.topic
    this.pushType[index] = numbers.pushType
    this.source[index] = arrival.source
    this.fate[index] = fate
    this.repeatBy[index] = arrival.repeatBy
    this.connection[index] = arrival.connection
    this.#slabOf[index] = this.#slabs.length - 1
    this.#start[index] = slab.starts[TOKEN] ?? 0
    for (let field = 0; field < FIELDS; field++) {
      this.#lengths[index * FIELDS + field] = slab.lengths[field] ?? 0
    }
    return slab
  }

  text(index: number, field: number): string {
    const { bytes, start, end } = this.#range(index, field)
    return start === end ? '' : bytes.toString('utf8', start, end)
  }

  /** Whether a field reads so, without decoding it. */
  reads(index: number, field: number, text: Buffer): boolean {
    const { bytes, start, end } = this.#range(index, field)
    return end - start === text.length && bytes.compare(text, 0, text.length, start, end) === 0
  }

  #range(index: number, field: number): { bytes: Buffer; start: number; end: number } {
    const slab = this.#slabs[this.#slabOf[index] ?? 0]
    if (slab === undefined) throw new Error('An entry points outside its segment')
    let start = this.#start[index] ?? 0
    for (let earlier = 0; earlier < field; earlier++) {
      start += aligned(this.#lengths[index * FIELDS + earlier] ?? 0)
    }
    return { bytes: slab.bytes, start, end: start + (this.#lengths[index * FIELDS + field] ?? 0) }
  }

  #write(arrival: Arrival): Slab {
    const last = this.#slabs.at(-1)
    if (last?.write(arrival, true)) return last
    const next = new Slab()
    this.#slabs.push(next)
    next.write(arrival, true)
    return next
  }
}
