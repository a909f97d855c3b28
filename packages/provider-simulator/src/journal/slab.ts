import type { Arrival } from './arrival.ts'

const MEBIBYTE = 1 << 20
/** Longer payloads are counted, not kept. */
const BODY_BYTES_MAX = 65_536
/** Longer texts are cut: HTTP/2 lets nothing near this through. */
const TEXT_CHARS_MAX = 16_384

/** The fields of an arrival as they lie in the slab, in this order. */
export const TOKEN = 0
export const ID = 1
export const COLLAPSE_ID = 2
export const MESSAGE_ID = 3
export const BODY = 4
export const FIELDS = 5

/**
 * Texts of many arrivals in one stretch of memory outside the JavaScript heap: millions of small
 * strings would cost the collector more than the requests themselves. Each field starts at a
 * multiple of four and is padded with zeros, so that it can be hashed by words.
 */
export class Slab {
  readonly bytes: Buffer
  readonly words: Int32Array
  /** Start and byte length of each field written last. */
  readonly starts = new Uint32Array(FIELDS)
  readonly lengths = new Uint32Array(FIELDS)
  #used = 0

  constructor() {
    const memory = new ArrayBuffer(MEBIBYTE)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
  }

  /** Writes an arrival's texts down; false where it does not fit any more. */
  write(arrival: Arrival, withBody: boolean): boolean {
    const body = withBody && (arrival.body?.length ?? 0) <= BODY_BYTES_MAX ? arrival.body : null
    const { token, id, collapseId, messageId } = arrival
    const chars = kept(token) + kept(id) + kept(collapseId) + kept(messageId)
    // A UTF-16 unit takes at most three bytes in UTF-8; each field up to three of padding.
    if (this.#used + chars * 3 + (body?.length ?? 0) + 4 * FIELDS > MEBIBYTE) return false
    this.#writeText(TOKEN, token)
    this.#writeText(ID, id)
    this.#writeText(COLLAPSE_ID, collapseId)
    this.#writeText(MESSAGE_ID, messageId)
    this.#writeBody(body)
    return true
  }

  /** Makes the whole slab free again. */
  rewind(): void {
    this.#used = 0
  }

  #writeText(field: number, text: string): void {
    const start = this.#used
    this.starts[field] = start
    if (text.length === 0) {
      this.lengths[field] = 0
      return
    }
    const length = this.bytes.write(
      text.length > TEXT_CHARS_MAX ? text.slice(0, TEXT_CHARS_MAX) : text,
      start,
    )
    this.lengths[field] = length
    this.#used = this.#pad(start + length)
  }

  #writeBody(body: Buffer | null): void {
    this.starts[BODY] = this.#used
    this.lengths[BODY] = body?.length ?? 0
    if (body === null) return
    this.bytes.set(body, this.#used)
    this.#used = this.#pad(this.#used + body.length)
  }

  #pad(end: number): number {
    const next = aligned(end)
    for (let index = end; index < next; index++) this.bytes[index] = 0
    return next
  }
}

function kept(text: string): number {
  return Math.min(text.length, TEXT_CHARS_MAX)
}

/** The next multiple of four. */
export function aligned(bytes: number): number {
  return (bytes + 3) & ~3
}
