import type { ProviderName } from './arrival.ts'

/** How often one provider gave one answer. */
export interface AnswerCount {
  provider: ProviderName
  status: number
  reason: string | null
  count: number
}

/** Counts one provider's answers by status and reason; status 0 is no answer at all. */
export class Tally {
  readonly #provider: ProviderName
  readonly #counts = new Map<string, AnswerCount>()
  /** Nearly all answers are 200 without a reason: those cost one addition. */
  #plain = 0

  constructor(provider: ProviderName) {
    this.#provider = provider
  }

  add(status: number, reason: string): void {
    if (status === 200 && reason === '') {
      this.#plain += 1
      return
    }
    const key = `${status} ${reason}`
    const found = this.#counts.get(key)
    if (found !== undefined) found.count += 1
    else {
      const first = { provider: this.#provider, status, reason: reason || null, count: 1 }
      this.#counts.set(key, first)
    }
  }

  list(): AnswerCount[] {
    const { size } = this.#counts
    if (this.#plain === 0 && size === 0) return []
    const plain = { provider: this.#provider, status: 200, reason: null, count: this.#plain }
    return [...(this.#plain === 0 ? [] : [plain]), ...this.#counts.values()]
  }

  clear(): void {
    this.#plain = 0
    this.#counts.clear()
  }
}
