import { windowSeconds } from '@pushkeep/domain'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../authentication.ts'
import { ProblemError } from '../problem.ts'
import type { Charge, Limiter, Refusal } from './limiter.ts'
import type { LimitName } from './policies.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Rates of the server's callers; null: it has no limits. */
    pushkeepLimiter: Limiter | null
  }
}

/** The limiter of the server that a request came to; null: it has none. */
export function limiterOf(request: FastifyRequest): Limiter | null {
  return request.server.pushkeepLimiter
}

/**
 * Whose bucket the address of a request is. An IPv6 subscriber has a whole /64 (RFC 6177), so that a
 * single address of it says nothing.
 */
export function addressOf({ ip }: FastifyRequest): string {
  if (!ip.includes(':')) return ip
  if (ip.startsWith('::ffff:') && ip.includes('.')) return ip.slice(7)
  const [head = '', tail] = ip.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length)
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...rest]
  return `${all.slice(0, 4).join(':')}::/64`
}

/** Bytes of a body that count as much as one call. */
const bytesPerCall = 16_384

/** What a request costs: 1, and 1 for each whole 16 KiB that its body says to have. */
function costOf({ headers }: FastifyRequest): number {
  const length = Number(headers['content-length'] ?? 0)
  return length >= bytesPerCall ? 1 + Math.floor(length / bytesPerCall) : 1
}

/** Which buckets a caller's request spends from. */
function chargesOf(
  request: FastifyRequest,
  { keyId, kind }: Caller,
  by: 'key' | 'session',
  cost: number,
): Charge[] {
  if (by === 'session') return [{ limit: 'console', name: keyId, cost }]
  if (kind === 'secret') return [{ limit: 'secret_key', name: keyId, cost }]
  return [
    { limit: 'address', name: `${keyId} ${addressOf(request)}`, cost },
    { limit: 'public_key', name: keyId, cost },
  ]
}

/** Counts a request of a caller; the problem to answer with where it is one too many. */
export function limitCaller(
  request: FastifyRequest,
  reply: FastifyReply | null,
  caller: Caller,
  by: 'key' | 'session',
): ProblemError | null {
  const limiter = limiterOf(request)
  if (!limiter) return null
  const refusal = limiter.spend(chargesOf(request, caller, by, costOf(request)))
  if (refusal) return tooMany(limiter, refusal)
  // Backends may pace themselves; a phone is told when it is too fast.
  if (reply && by === 'key' && caller.kind === 'secret') tellStanding(limiter, reply, caller)
  return null
}

function tellStanding(limiter: Limiter, reply: FastifyReply, { keyId }: Caller): void {
  const limit = 'secret_key'
  const level = limiter.levelOf(limit, keyId)
  if (level === null) return
  reply
    .header('ratelimit-policy', policyOf(limiter, limit))
    .header('ratelimit', `"${limit}";r=${Math.max(0, Math.floor(level))}`)
}

/** Spends from buckets that a route names. Throws the 429, having spent nothing. */
export function spendOrRefuse(request: FastifyRequest, charges: readonly Charge[]): void {
  const limiter = limiterOf(request)
  const refusal = limiter?.spend(charges) ?? null
  if (limiter && refusal) throw tooMany(limiter, refusal)
}

/** Counts the items of a batch as calls; the request itself was counted for the first of them. */
export function spendItems(request: FastifyRequest, caller: Caller, count: number): void {
  if (count > 1) spendOrRefuse(request, chargesOf(request, caller, 'key', count - 1))
}

/** The codes of answers to callers who showed a key or a token that does not hold. */
const guesses = new Set(['unauthorized', 'unknown_key', 'identity_token_invalid'])

/**
 * What is answered to a request that was refused: the refusal itself, or, where its address has shown
 * too many keys and identity tokens that do not hold, 429. What does hold is never refused here.
 */
export function afterGuess(request: FastifyRequest, problem: ProblemError): ProblemError {
  const limiter = limiterOf(request)
  if (!limiter || !guesses.has(problem.problem.code)) return problem
  const charge = { limit: 'refusals', name: addressOf(request), cost: 1 } as const
  const refusal = limiter.spend([charge])
  return refusal ? tooMany(limiter, refusal) : problem
}

const detailOf: Record<LimitName, string> = {
  address: 'too many calls with this key from one address',
  public_key: 'too many calls with this key',
  secret_key: 'too many calls with this key',
  console: 'too many calls of the console',
  person: 'too many changes of this person',
  device: 'too many changes of this device',
  person_events: 'too many events of this person today',
  workspace_events: 'too many events of this workspace today',
  messages: 'too many messages of this workspace',
  recipients: 'the messages of this workspace name too many people and tokens',
  refusals: 'too many keys or identity tokens that do not hold, from one address',
  sign_ins: 'too many tries to sign in from one address',
  keyless_bytes: 'too large calls from one address with a key in the body alone',
}

/**
 * 429, with when to come back and which limit was reached, as draft-ietf-httpapi-ratelimit-headers has
 * it (version 10: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
 */
export function tooMany(
  limiter: Limiter,
  { limit, afterSeconds }: Refusal,
  code = 'too_many_requests',
): ProblemError {
  return new ProblemError(429, code, {
    detail: `${detailOf[limit]}: wait ${afterSeconds} s`,
    violated: [limit],
    headers: {
      'retry-after': String(afterSeconds),
      'ratelimit-policy': policyOf(limiter, limit),
      ratelimit: `"${limit}";r=0;t=${afterSeconds}`,
    },
  })
}

function policyOf({ rates }: Limiter, limit: LimitName): string {
  const rate = rates[limit]
  if (!rate) return `"${limit}"`
  const unit = limit === 'keyless_bytes' ? ';qu="content-bytes"' : ''
  return `"${limit}";q=${Math.floor(rate.burst)}${unit};w=${windowSeconds(rate)}`
}
