import { createHash } from 'node:crypto'

const checkBytes = 6
const position = /^\d{1,19}(\.\d{1,19})?$/
const numberMax = 2n ** 63n - 1n

/**
 * Where a page begins, as callers see it. `list` names the list with its filters: a cursor of
 * another one is refused, and so is one that was changed. It carries no right to anything, so that
 * a checksum does where a signature would need a key that all instances share.
 */
export function writeCursor(list: readonly unknown[], next: string): string {
  return Buffer.concat([check(list, next), Buffer.from(next)]).toString('base64url')
}

/** The place that a cursor names, or null where it is none of this list. */
export function readCursor(list: readonly unknown[], cursor: string): string | null {
  const bytes = Buffer.from(cursor, 'base64url')
  const next = bytes.subarray(checkBytes).toString('latin1')
  if (!position.test(next)) return null
  if (next.split('.').some((number) => BigInt(number) > numberMax)) return null
  return writeCursor(list, next) === cursor ? next : null
}

function check(list: readonly unknown[], next: string): Buffer {
  const text = JSON.stringify([...list, next])
  return createHash('sha256').update(text).digest().subarray(0, checkBytes)
}
