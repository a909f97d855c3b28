import { createHash } from 'node:crypto'

/**
 * Makes the `apns-id` of each delivery of a message: a UUID that is the same for each try, so that a
 * repeat can be told from a second push (R5). What devices share is hashed once; the rest is the
 * device's number, in the 48 bits of the last group.
 */
export function apnsIdsOf(messageId: string): (deviceNo: number) => string {
  const hash = createHash('sha256').update(messageId).digest('hex')
  // Version 8 is for whoever makes UUIDs by rules of their own (RFC 9562).
  const shared = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(12, 15)}-8${hash.slice(15, 18)}-`
  return (deviceNo) => shared + deviceNo.toString(16).padStart(12, '0')
}
