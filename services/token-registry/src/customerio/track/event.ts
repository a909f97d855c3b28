import {
  ClientMessageId,
  cleanText,
  EventName,
  EventProperties,
  type Identifier,
} from '@pushkeep/domain'
import { invalid } from '@pushkeep/runtime'
import { z } from 'zod'
import type { Asked } from '../action.ts'
import { isNothing, isObject } from '../people.ts'
import { validated } from '../refusal.ts'
import { timeIfAny } from '../time.ts'
import { AnonymousId } from './person.ts'

/** Longest name of an event, in bytes. */
const Name = cleanText(100).pipe(EventName)
const Type = z.enum(['event', 'page', 'screen'])

/** Whose an event is: a person's, or that of a phone. */
export type EventOwner = { person: Identifier } | { anonymousId: unknown }

/** An event of the Track API; `propertiesKey`: where its version has what happened in detail. */
export function eventAsked(
  owner: EventOwner,
  given: unknown,
  propertiesKey: 'data' | 'attributes',
): Asked {
  if (!isObject(given)) throw invalid([{ path: 'body', message: 'must be an object' }])
  const { name, type, id, timestamp } = given
  return {
    action: {
      kind: 'event',
      person: 'person' in owner ? owner.person : null,
      anonymousId:
        'person' in owner ? null : validated(AnonymousId, owner.anonymousId, 'anonymous_id'),
      type: isNothing(type) ? 'event' : validated(Type, type, 'type'),
      name: validated(Name, name, 'name'),
      properties: propertiesOf(given[propertiesKey], propertiesKey),
      at: timeIfAny(timestamp, 'timestamp'),
    },
    clientMessageId: isNothing(id) ? null : validated(ClientMessageId, id, 'id'),
  }
}

function propertiesOf(given: unknown, key: 'data' | 'attributes') {
  if (isNothing(given)) return {}
  // Customer.io's own words.
  if (!isObject(given)) throw invalid([{ path: `event ${key}`, message: 'must be a hash' }])
  return validated(EventProperties, given, key)
}
