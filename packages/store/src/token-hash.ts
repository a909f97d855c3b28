import { hash } from 'node:crypto'
import { canonicalToken } from '@pushkeep/domain'

/**
 * The first 128 bits of SHA-256 of a token, as a UUID: what `devices.token_hash` holds. Collisions
 * are out of reach (2^64 tokens for one), and the index is 16 bytes a row whatever the token's length.
 */
export function tokenHash(token: string): string {
  return hash('sha256', canonicalToken(token), 'hex').slice(0, 32)
}
