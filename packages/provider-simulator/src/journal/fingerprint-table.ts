import { type Fingerprint, WORDS } from './fingerprints.ts'

const SHARDS = 64
const FIRST_SLOTS = 64

interface Shard {
  table: Int32Array
  slots: number
  used: number
}

/**
 * Slots found by fingerprint, in open addressing. Each begins with its fingerprint; the words
 * after it are the caller's. It is split into shards so that growing copies a 64th of it at a time
 * and never holds up a running benchmark.
 */
export class FingerprintTable {
  /** Where the slot of the last `take` lies. */
  words: Int32Array = new Int32Array(0)
  at = 0
  readonly #wordsPerSlot: number
  #shards: Shard[] = []
  #size = 0

  constructor(wordsPerSlot = WORDS) {
    this.#wordsPerSlot = wordsPerSlot
    this.clear()
  }

  /** How many slots are taken. */
  get size(): number {
    return this.#size
  }

  /** Goes to the slot of a fingerprint; true where it had none before. */
  take(print: Fingerprint): boolean {
    const d = print[3] ?? 0
    const shard = this.#shards[d & (SHARDS - 1)]
    if (shard === undefined) throw new Error('A fingerprint fell outside all shards')
    if (shard.used * 4 >= shard.slots * 3) this.#grow(shard)
    // The first word of a taken slot is never 0.
    const isNew = this.#find(shard, print[0] || 1, print[1] ?? 0, print[2] ?? 0, d)
    if (isNew) this.#size += 1
    return isNew
  }

  clear(): void {
    this.#size = 0
    this.#shards = Array.from({ length: SHARDS }, () => ({
      table: new Int32Array(FIRST_SLOTS * this.#wordsPerSlot),
      slots: FIRST_SLOTS,
      used: 0,
    }))
  }

  #find(shard: Shard, a: number, b: number, c: number, d: number): boolean {
    const { table, slots } = shard
    this.words = table
    for (let slot = b & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const at = slot * this.#wordsPerSlot
      const there = table[at] ?? 0
      this.at = at
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

  #grow(shard: Shard): void {
    const old = shard.table
    shard.slots *= 2
    shard.table = new Int32Array(shard.slots * this.#wordsPerSlot)
    shard.used = 0
    for (let at = 0; at < old.length; at += this.#wordsPerSlot) {
      const a = old[at] ?? 0
      if (a === 0) continue
      this.#find(shard, a, old[at + 1] ?? 0, old[at + 2] ?? 0, old[at + 3] ?? 0)
      for (let word = WORDS; word < this.#wordsPerSlot; word++) {
        shard.table[this.at + word] = old[at + word] ?? 0
      }
    }
  }
}
