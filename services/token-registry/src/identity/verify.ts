import type { KeyObject } from 'node:crypto'
import type { IdentityAlgorithm, IdentityDoubt } from '@pushkeep/domain'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'

/** A key as tokens are checked with it. */
export interface CheckKey {
  kid: string
  algorithm: IdentityAlgorithm
  /** null: a shared secret that this process cannot open. */
  key: KeyObject | null
}

/** What a token says, once its signature holds. */
export type Checked =
  | { kind: 'proven'; personId: string; email: string | null; expiresAt: number }
  | { kind: 'doubtful'; doubt: IdentityDoubt }

export interface TokenToCheck {
  token: string
  keys: readonly CheckKey[]
  /** The app that a token with an audience has to be for. */
  appId: string
  /** In ms since the epoch. */
  now: number
  /** Longest that the token may still be good. */
  lifetimeDaysMax?: number
}

/** How far the clocks of two servers may be apart. */
export const leewaySeconds = 60

/**
 * Longest that a token may still be good, in days, unless it is set otherwise: a token that is stolen can be used that
 * long. Backends that sign one for a session of a month go on working.
 */
export const lifetimeDaysUsual = 30

/** Longest token that is looked at. */
export const identityTokenLengthMax = 4096

// RFC 9864 gives the algorithm of an Ed25519 key a name of its own.
const namesOf: Record<IdentityAlgorithm, string[]> = {
  ES256: ['ES256'],
  EdDSA: ['EdDSA', 'Ed25519'],
  RS256: ['RS256'],
  HS256: ['HS256'],
}

/**
 * Checks one token. The key says by which algorithm: the header's is compared with it, never
 * followed.
 */
export async function checkIdentityToken(call: TokenToCheck): Promise<Checked> {
  const { token, keys, now } = call
  const kid = kidOf(token)
  if (kid === 'malformed') return doubtful('malformed')
  const found = keyOf(keys, kid)
  if (!found) return doubtful('unknown_key')
  if (!found.key) return doubtful('key_unavailable')
  try {
    const { payload } = await jwtVerify(token, found.key, {
      algorithms: namesOf[found.algorithm],
      clockTolerance: leewaySeconds,
      currentDate: new Date(now),
      requiredClaims: ['sub', 'exp'],
    })
    return provenBy(payload, call)
  } catch (error) {
    return doubtful(doubtOf(error))
  }
}

function doubtful(doubt: IdentityDoubt): Checked {
  return { kind: 'doubtful', doubt }
}

/** The `kid` of a token's header; null where it names none. */
function kidOf(token: string): { kid: string | null } | 'malformed' {
  if (token.length > identityTokenLengthMax) return 'malformed'
  try {
    const { kid } = decodeProtectedHeader(token)
    if (kid === undefined) return { kid: null }
    return typeof kid === 'string' ? { kid } : 'malformed'
  } catch {
    return 'malformed'
  }
}

/** The key that a token names; one that names none means the only one. */
function keyOf(keys: readonly CheckKey[], { kid }: { kid: string | null }): CheckKey | undefined {
  if (kid === null) return keys.length === 1 ? keys[0] : undefined
  return keys.find((key) => key.kid === kid)
}

function provenBy(payload: JWTPayload, call: TokenToCheck): Checked {
  const { appId, now, lifetimeDaysMax = lifetimeDaysUsual } = call
  const { sub, exp, aud } = payload
  if (typeof sub !== 'string' || sub === '') return doubtful('malformed')
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return doubtful('malformed')
  if (exp > now / 1000 + lifetimeDaysMax * 86_400 + leewaySeconds) return doubtful('too_long')
  if (aud !== undefined && ![aud].flat().includes(appId)) return doubtful('wrong_audience')
  return { kind: 'proven', personId: sub, email: emailIn(payload), expiresAt: exp * 1000 }
}

/** The `email` claim, as OpenID Connect has it: not where `email_verified` says that it is not. */
function emailIn({ email, email_verified: isVerified }: JWTPayload): string | null {
  const isAddress = typeof email === 'string' && email !== '' && Buffer.byteLength(email) <= 254
  return isAddress && (isVerified === undefined || isVerified === true) ? email : null
}

function doubtOf(error: unknown): IdentityDoubt {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'wrong_signature'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'wrong_signature'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') {
    return 'not_yet_valid'
  }
  // A header that asks for what is not known (`crit`), claims of other types, no token at all.
  return 'malformed'
}
