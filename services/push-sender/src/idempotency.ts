import { createHash } from 'node:crypto'
import { ProblemError } from '@pushkeep/runtime'

// Visible ASCII. A header that is sent twice arrives joined by ", ": the space gives it away.
const pattern = /^[\x21-\x7e]{1,255}$/

/** The value of an `Idempotency-Key` header, or null where there is none. */
export function idempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null
  if (pattern.test(header)) return header
  const error = { path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }
  throw new ProblemError(400, 'invalid_header', {
    detail: `${error.path} ${error.message}`,
    errors: [error],
  })
}

/**
 * SHA-256 of a request's meaning: of the body as it was understood, with keys sorted, so that key
 * order, whitespace and a default that is written out make no difference.
 */
export function bodyHash(body: object): Buffer {
  return createHash('sha256').update(JSON.stringify(body, sortKeys)).digest()
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
