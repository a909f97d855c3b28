import { z } from 'zod'

const when = z.int().nonnegative()
const seconds = z.number().nonnegative().max(86_400)

/** A documented (or made-up) provider error, answered as it stands. */
export const StatusAnswer = z.strictObject({
  kind: z.literal('status'),
  status: z.int().min(400).max(599),
  reason: z.string().min(1).max(100),
  retry_after_s: seconds.optional(),
  since: when.optional(),
})

/** How the simulator treats requests for one token, instead of accepting them. */
export const Behaviour = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('unregistered'), since: when.optional() }),
  z.strictObject({ kind: z.literal('expired'), since: when.optional() }),
  z.strictObject({ kind: z.literal('bad-token') }),
  z.strictObject({
    kind: z.literal('environment'),
    environment: z.enum(['production', 'sandbox']),
  }),
  z.strictObject({ kind: z.literal('wrong-topic') }),
  z.strictObject({ kind: z.literal('slow'), delay_ms: z.int().min(0).max(600_000) }),
  z.strictObject({ kind: z.literal('throttled'), retry_after_s: seconds.optional() }),
  StatusAnswer,
  z.strictObject({ kind: z.literal('no-answer') }),
  z.strictObject({ kind: z.literal('reset'), code: z.int().min(0).max(13).optional() }),
  z.strictObject({ kind: z.literal('lose-answer') }),
])
export type Behaviour = z.infer<typeof Behaviour>

/** The behaviours that end in a refusal the provider words itself. */
export type Refusal = Extract<
  Behaviour,
  { kind: 'unregistered' | 'expired' | 'bad-token' | 'wrong-topic' | 'throttled' | 'status' }
>

/** What `PUT /tokens/{token}` takes. */
export const TokenRule = z.strictObject({
  behaviour: Behaviour,
  times: z.int().min(1).max(1_000_000).optional(),
})
export type TokenRule = z.infer<typeof TokenRule>

interface Standing {
  behaviour: Behaviour
  /** Requests it still applies to; Infinity for all. */
  left: number
}

/** Which tokens behave how. A token without an entry is active everywhere. */
export class TokenBehaviours {
  readonly #standing = new Map<string, Standing>()

  get size(): number {
    return this.#standing.size
  }

  set(token: string, rule: TokenRule, now: number): void {
    this.#standing.set(token, {
      behaviour: withTime(rule.behaviour, now),
      left: rule.times ?? Number.POSITIVE_INFINITY,
    })
  }

  get(token: string): TokenRule | undefined {
    const found = this.#standing.get(token)
    if (found === undefined) return undefined
    const { behaviour, left } = found
    return Number.isFinite(left) ? { behaviour, times: left } : { behaviour }
  }

  /** The behaviour for one request, which it uses up once. */
  take(token: string): Behaviour | null {
    const found = this.#standing.get(token)
    if (found === undefined) return null
    found.left -= 1
    if (found.left === 0) this.#standing.delete(token)
    return found.behaviour
  }

  delete(token: string): void {
    this.#standing.delete(token)
  }

  clear(): void {
    this.#standing.clear()
  }
}

/** A token that is dead is dead since it was declared so, not since it was last asked for. */
function withTime(behaviour: Behaviour, now: number): Behaviour {
  const dated =
    behaviour.kind === 'unregistered' ||
    behaviour.kind === 'expired' ||
    (behaviour.kind === 'status' && behaviour.status === 410)
  return dated && behaviour.since === undefined ? { ...behaviour, since: now } : behaviour
}
