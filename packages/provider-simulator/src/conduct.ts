import type { Behaviour, TokenBehaviours } from './behaviours.ts'
import type { ProviderFaults } from './faults.ts'
import { seededRandom } from './random.ts'
import { RateLimit } from './rate-limit.ts'

/** Decides how a well-formed request is treated, from the faults and the token's behaviour. */
export class Conduct<Faults extends ProviderFaults = ProviderFaults> {
  readonly faults: Faults
  readonly #healthy: Faults
  readonly #behaviours: TokenBehaviours
  readonly #limit = new RateLimit()
  readonly #seed: number
  readonly #now: () => number
  #random: () => number

  constructor(healthy: Faults, behaviours: TokenBehaviours, seed: number, now: () => number) {
    this.faults = { ...healthy }
    this.#healthy = healthy
    this.#behaviours = behaviours
    this.#seed = seed
    this.#now = now
    this.#random = seededRandom(seed)
  }

  /** Changes the faults that are named. The random share begins its sequence anew. */
  update(patch: Partial<Faults>): void {
    Object.assign(this.faults, patch)
    this.#random = seededRandom(this.#seed)
    this.#limit.clear()
  }

  /** Ends all faults. */
  heal(): void {
    this.update(this.#healthy)
  }

  /** The behaviour for one request to this token; null where it is simply accepted. */
  next(token: string): Behaviour | null {
    const { status, token_limit } = this.faults
    if (status !== null && this.#random() < status.share) {
      const { share: _, ...answer } = status
      return { kind: 'status', ...answer }
    }
    if (token_limit !== null && token !== '') {
      const wait = this.#limit.take(token, token_limit, this.#now())
      if (wait !== null) return { kind: 'throttled', retry_after_s: wait }
    }
    return this.#behaviours.size === 0 ? null : this.#behaviours.take(token)
  }
}
