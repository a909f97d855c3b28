import { type KeyObject, verify } from 'node:crypto'
import { z } from 'zod'
import { type JwtParts, splitJwt } from '../jwt.ts'
import type { ApnsEnvironment, CredentialRegistry } from '../registry.ts'

const Header = z.object({ alg: z.literal('ES256'), kid: z.string() })
const Claims = z.object({ iss: z.string(), iat: z.number() })

/** A provider token whose signature holds. */
export interface ProviderToken {
  keyId: string
  teamId: string
  /** The one environment its key works in; null where it works in both. */
  environment: ApnsEnvironment | null
  issuedAtMs: number
}

const CACHED_MAX = 1000

/** Verifies provider tokens, each text once: a sender uses one for up to an hour. */
export class ProviderTokens {
  readonly #registry: CredentialRegistry
  readonly #verified = new Map<string, ProviderToken>()
  #version = -1

  constructor(registry: CredentialRegistry) {
    this.#registry = registry
  }

  /** The token, or null where it is not a valid one. */
  read(jwt: string): ProviderToken | null {
    if (this.#version !== this.#registry.version) {
      this.#verified.clear()
      this.#version = this.#registry.version
    }
    const known = this.#verified.get(jwt)
    if (known !== undefined) return known
    const token = this.#verify(jwt)
    if (token === null) return null
    if (this.#verified.size >= CACHED_MAX) this.#verified.clear()
    this.#verified.set(jwt, token)
    return token
  }

  #verify(jwt: string): ProviderToken | null {
    const parts = splitJwt(jwt)
    const header = Header.safeParse(parts?.header)
    const claims = Claims.safeParse(parts?.claims)
    if (parts === null || !header.success || !claims.success) return null
    const key = this.#registry.apnsKey(header.data.kid)
    if (key === undefined || key.teamId !== claims.data.iss) return null
    if (!isSigned(parts, key.publicKey)) return null
    return {
      keyId: header.data.kid,
      teamId: key.teamId,
      environment: key.environment,
      issuedAtMs: claims.data.iat * 1000,
    }
  }
}

function isSigned(parts: JwtParts, key: KeyObject): boolean {
  // JWS carries the two numbers of the signature as they are, not in DER (RFC 7518, 3.4).
  return verify('sha256', parts.signed, { key, dsaEncoding: 'ieee-p1363' }, parts.signature)
}
