import { FingerprintTable } from './fingerprint-table.ts'
import { type Fingerprint, WORDS } from './fingerprints.ts'

/**
 * Which tokens were pushed to, and with which keys. A token's first key stands in the token's own
 * slot: most tokens have one, and one look at memory costs less than two.
 */
export class Seen {
  readonly #tokens = new FingerprintTable(2 * WORDS)
  readonly #furtherPairs = new FingerprintTable()

  /** How many different tokens there were. */
  get tokens(): number {
    return this.#tokens.size
  }

  /**
   * Notes a token and, where there is one, the fingerprint of token and key together. True where
   * that pair was noted before.
   */
  note(token: Fingerprint, pair: Fingerprint | null): boolean {
    this.#tokens.take(token)
    if (pair === null) return false
    const { words } = this.#tokens
    const first = this.#tokens.at + WORDS
    const head = pair[0] || 1
    if (words[first] === 0) {
      words[first] = head
      for (let word = 1; word < WORDS; word++) words[first + word] = pair[word] ?? 0
      return false
    }
    const isFirst =
      words[first] === head &&
      words[first + 1] === pair[1] &&
      words[first + 2] === pair[2] &&
      words[first + 3] === pair[3]
    return isFirst || !this.#furtherPairs.take(pair)
  }

  clear(): void {
    this.#tokens.clear()
    this.#furtherPairs.clear()
  }
}
