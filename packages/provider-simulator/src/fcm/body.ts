/** What Google's front end takes at most. */
export const BODY_BYTES_MAX = 1 << 20

/** The parts of a request body; past the limit nothing more is kept. */
export class Collected {
  readonly #chunks: Buffer[] = []
  #bytes = 0

  add(chunk: Buffer): void {
    if (this.#bytes > BODY_BYTES_MAX) return
    this.#bytes += chunk.length
    this.#chunks.push(chunk)
  }

  whole(): Buffer {
    const [first] = this.#chunks
    return first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks)
  }
}
