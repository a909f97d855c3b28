/** Words of a fingerprint. */
export const WORDS = 4

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

/** A 128-bit fingerprint under construction, reused from request to request. */
export type Fingerprint = Int32Array

/** An empty fingerprint. */
export function newFingerprint(): Fingerprint {
  return new Int32Array(WORDS)
}

/**
 * Mixes a zero-padded text of `length` bytes into the fingerprint, in the manner of MurmurHash3
 * (x86, 128 bits). Two of 100 million keys fall together with a chance below 1e-22, which is why
 * counts built on it may be called exact.
 */
export function mixIn(print: Fingerprint, words: Int32Array, start: number, length: number): void {
  let h1 = print[0] ?? 0
  let h2 = print[1] ?? 0
  let h3 = print[2] ?? 0
  let h4 = print[3] ?? 0
  const first = start >> 2
  const end = first + ((length + 3) >> 2)
  for (let at = first; at < end; at += WORDS) {
    h1 = (rotate(h1 ^ scramble(words[at] ?? 0, C1, C2), 19) + h2) | 0
    h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0
    h2 = (rotate(h2 ^ scramble(at + 1 < end ? (words[at + 1] ?? 0) : 0, C2, C3), 17) + h3) | 0
    h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0
    h3 = (rotate(h3 ^ scramble(at + 2 < end ? (words[at + 2] ?? 0) : 0, C3, C4), 15) + h4) | 0
    h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0
    h4 = (rotate(h4 ^ scramble(at + 3 < end ? (words[at + 3] ?? 0) : 0, C4, C1), 13) + h1) | 0
    h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0
  }
  const sum = (h1 ^ h2 ^ h3 ^ h4 ^ length) | 0
  h1 = finish(h1 ^ length)
  h2 = finish((h2 + sum) | 0)
  h3 = finish((h3 ^ sum) | 0)
  h4 = finish((h4 - sum) | 0)
  print[0] = (h1 + h2 + h3 + h4) | 0
  print[1] = (h2 + h1) | 0
  print[2] = (h3 + h1) | 0
  print[3] = (h4 + h1) | 0
}

function scramble(word: number, by: number, again: number): number {
  return Math.imul(rotate(Math.imul(word, by), 15), again)
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function finish(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
