import { randomUUID } from 'node:crypto'
import { findKeyedMessage, type Sql } from '@pushkeep/store'
import { bodyHash } from '../idempotency.ts'

/** Longest time in which a client repeats a call by itself: customerio-node gives up after 70 s. */
const repeatSeconds = 300

/**
 * The message that a repeated call was accepted as before; null where it was not. customerio-node
 * repeats what got no answer, and counts in `X-Retry-Count`: without this a lost answer rings twice.
 */
export async function acceptedBefore(
  sql: Sql,
  call: { workspaceNo: number; appNo: number | null; body: object; retryCount: unknown },
): Promise<string | null> {
  const { workspaceNo, appNo, body, retryCount } = call
  if (typeof retryCount !== 'string' || !/^[1-9]\d{0,3}$/.test(retryCount)) return null
  const prefix = prefixOf(body)
  return findKeyedMessage(sql, { workspaceNo, appNo, prefix, seconds: repeatSeconds })
}

/** The idempotency key of a call that brought none: by it, a repeat of the call is known. */
export function ownKey(body: object): string {
  return `${prefixOf(body)}${randomUUID()}`
}

// With a space, which no key in a header has. The call is in it, so that two calls that say the same
// and are no repeats are two messages.
function prefixOf(body: object): string {
  return `send-push ${bodyHash(body).toString('base64url')} `
}
