const SHARDS = 64
const FIRST_SLOTS = 64
const WORDS = 4

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

interface Shard {
  table: Int32Array
  slots: number
  used: number
}

/**
 * A set of fingerprints in open addressing, 16 bytes a slot. It is split into shards so that
 * growing copies a 64th of it at a time and never holds up a running benchmark.
 */
export class FingerprintSet {
  #shards: Shard[] = []
  #size = 0

  constructor() {
    this.clear()
  }

  get size(): number {
    return this.#size
  }

  /** True where it was not there before. */
  add(print: Fingerprint): boolean {
    const d = print[3] ?? 0
    const shard = this.#shards[d & (SHARDS - 1)]
    if (shard === undefined) throw new Error('A fingerprint fell outside all shards')
    if (!insert(shard, print[0] || 1, print[1] ?? 0, print[2] ?? 0, d)) return false
    this.#size += 1
    if (shard.used * 4 > shard.slots * 3) grow(shard)
    return true
  }

  clear(): void {
    this.#size = 0
    this.#shards = Array.from({ length: SHARDS }, () => ({
      table: new Int32Array(FIRST_SLOTS * WORDS),
      slots: FIRST_SLOTS,
      used: 0,
    }))
  }
}

/** The first word is never 0 in a taken slot. */
function insert(shard: Shard, a: number, b: number, c: number, d: number): boolean {
  const { table, slots } = shard
  for (let slot = b & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
    const at = slot * WORDS
    const there = table[at] ?? 0
    if (there === 0) {
      table[at] = a
      table[at + 1] = b
      table[at + 2] = c
      table[at + 3] = d
      shard.used += 1
      return true
    }
    if (there === a && table[at + 1] === b && table[at + 2] === c && table[at + 3] === d) {
      return false
    }
  }
}

function grow(shard: Shard): void {
  const old = shard.table
  shard.slots *= 2
  shard.table = new Int32Array(shard.slots * WORDS)
  shard.used = 0
  for (let at = 0; at < old.length; at += WORDS) {
    const a = old[at] ?? 0
    if (a !== 0) insert(shard, a, old[at + 1] ?? 0, old[at + 2] ?? 0, old[at + 3] ?? 0)
  }
}
