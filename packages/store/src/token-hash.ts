import { hash } from 'node:crypto'
import { canonicalToken } from '@pushkeep/domain'

/**
 * The first 128 bits of SHA-256 of a token, as a UUID: what `devices.token_hash` holds. Collisions
 * are out of reach (2^64 tokens for one), and the index is 16 bytes a row whatever the token's length.
 */
export function tokenHash(token: string): string {
  // A request asks twice: to find its device, and to name it in the log.
  if (token !== last.token) {
    last = { token, hash: hash('sha256', canonicalToken(token), 'hex').slice(0, 32) }
  }
  return last.hash
}

let last: { token: string | null; hash: string } = { token: null, hash: '' }

/**
 * As much of a token as may be shown: enough to tell devices apart and to find one in the database
 * (its `token_hash` begins so), nothing that could be sent to.
 */
export function tokenFingerprint(token: string): string {
  return tokenHash(token).slice(0, 12)
}
