const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const short = /^[A-Za-z0-9_-]{22}$/

/**
 * A message's id as Customer.io's clients know it (`delivery_id`, `CIO-Delivery-ID`): the same 128
 * bits in 22 characters, so that a route tells by the form of an id whose client it talks to.
 */
export function deliveryIdOf(messageId: string): string {
  return Buffer.from(messageId.replaceAll('-', ''), 'hex').toString('base64url')
}

/** Whether an id is of the form that Customer.io's clients know, whatever it names. */
export function isDeliveryId(text: string): boolean {
  // The last character holds two bits of the 128; its others are zero.
  return short.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text
}

/** The message's id (a UUID) behind either form; null where the text is neither. */
export function messageIdOf(text: string): string | null {
  if (uuid.test(text)) return text.toLowerCase()
  if (!isDeliveryId(text)) return null
  const hex = Buffer.from(text, 'base64url').toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
