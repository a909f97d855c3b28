import {
  type Identifier,
  identifierBy,
  identifierKeys,
  identifierOf,
  KnownPersonId,
  PersonId,
} from '@pushkeep/domain'
import { invalid } from '@pushkeep/runtime'
import { z } from 'zod'
import { validated } from './refusal.ts'

/** An id as clients write it: text, or a number that stands for its digits. */
export const IdText = z
  .union([z.string(), z.int()], 'must be text or an integer')
  .transform(String)
  .pipe(PersonId)

/** The id of a person who is there already. */
const KnownIdText = z
  .union([z.string(), z.int()], 'must be text or an integer')
  .transform(String)
  .pipe(KnownPersonId)

/** How a text of the call names a person, who may be new. */
export function personNamed(text: unknown, place: string): Identifier {
  return identifierOf(validated(IdText, text, place))
}

/** How a text of the call names a person who is changed or deleted, not created. */
export function knownPersonNamed(text: unknown, place: string): Identifier {
  return identifierOf(validated(KnownIdText, text, place))
}

/** The same, where saying nothing, or nothing in text, names nobody. */
export function personNamedIfAny(text: unknown, place: string): Identifier | null {
  return isNothing(text) ? null : personNamed(text, place)
}

/** The id in a text, null where there is none. */
export function idIfAny(text: unknown, place: string): string | null {
  return isNothing(text) ? null : validated(IdText, text, place)
}

/** Whether a client says nothing by this: some send null or empty text for what they do not know. */
export function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** An object as a call has it, and nothing that only looks like one. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A person, who may be new, under exactly one of the names that there are. A phone number is an id. */
export function onePerson(given: unknown, place: string): Identifier {
  return oneNamed(given, place, IdText)
}

/** The same of a person who is changed or deleted, not created. */
export function oneKnownPerson(given: unknown, place: string): Identifier {
  return oneNamed(given, place, KnownIdText)
}

function oneNamed(given: unknown, place: string, schema: typeof IdText): Identifier {
  const [entry, ...others] = isObject(given) ? Object.entries(given) : []
  const key = identifierKeys.find((one) => one === entry?.[0])
  if (!key || others.length > 0) {
    const message = `must have exactly one of ${identifierKeys.join(', ')}`
    throw invalid([{ path: place, message }])
  }
  const text = validated(schema, entry?.[1], `${place}.${key}`)
  return identifierBy(key, text)
}
