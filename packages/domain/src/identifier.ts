/**
 * How Customer.io's clients name a person, in one text: by the id of the caller's choosing, by e-mail
 * address, or by `cio_<cio_id>`.
 */
export type Identifier =
  | { by: 'id'; id: string }
  | { by: 'email'; email: string }
  /** `text`: the whole text, which may be the id of a caller's own person; missing where it is said to be a `cio_id`. */
  | { by: 'cio-id'; cioId: string; text?: string }

const email = /^[^\s@]+@[^\s@]+$/
const cioId = /^cio_([0-9a-f]{8,16})$/

/** Tells from its shape how a text names a person, as Customer.io does; a phone number is an id. */
export function identifierOf(text: string): Identifier {
  const [, id] = cioId.exec(text) ?? []
  if (id !== undefined) return { by: 'cio-id', cioId: id, text }
  return email.test(text) ? { by: 'email', email: text } : { by: 'id', id: text }
}

/** The `cio_id` of a person: our own number of them, in hexadecimal. It never changes. */
export function cioIdOf(personNo: number | string): string {
  return BigInt(personNo).toString(16).padStart(8, '0')
}

const personNoMax = 2n ** 63n - 1n

/** The number that a `cio_id` stands for, in decimal; null where it is none of ours. */
export function personNoOf(id: string): string | null {
  if (!/^[0-9a-f]{8,16}$/.test(id)) return null
  const number = BigInt(`0x${id}`)
  return number <= personNoMax ? number.toString() : null
}

/** The ways in which clients say what a name is. */
export const identifierKeys = ['id', 'email', 'phone', 'cio_id'] as const
export type IdentifierKey = (typeof identifierKeys)[number]

/** A person by a name of which it is said what it is. A phone number is an id. */
export function identifierBy(key: IdentifierKey, text: string): Identifier {
  switch (key) {
    case 'id':
    case 'phone':
      return { by: 'id', id: text }
    case 'email':
      return { by: 'email', email: text }
    case 'cio_id':
      return { by: 'cio-id', cioId: text }
  }
}
