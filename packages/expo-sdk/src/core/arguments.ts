import { utf8Length } from './json.ts'

/** Longest id of a person in bytes, as the server has it. */
const personIdBytesMax = 150

/** An id of a person: text, or a number as text. */
export function personIdOf(id: unknown): string {
  const text = typeof id === 'number' ? String(id) : textOf(id, 'userId')
  if (utf8Length(text) > personIdBytesMax) {
    throw new TypeError(`userId must be at most ${personIdBytesMax} bytes`)
  }
  return text
}

/** Text that says something. */
export function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new TypeError(`${name} must be text, and not empty`)
  }
  return value
}

/** What an error says. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
