import {
  AttributesInput,
  ClientMessageId,
  EventName,
  EventProperties,
  type EventType,
  type Identifier,
  identifierOf,
  plainText,
} from '@pushkeep/domain'
import { invalid } from '@pushkeep/runtime'
import type { Action, Asked } from '../action.ts'
import { IdText, isNothing, isObject } from '../people.ts'
import { validated } from '../refusal.ts'
import { semanticAction } from './semantic-events.ts'

/** What is known of a message before it is read. */
export interface Envelope {
  /** By the route; null where the message has to say it. */
  type: string | null
  /** Of the whole batch. */
  context: Record<string, unknown>
  /** Whether the caller may do what public keys may not. */
  isSecret: boolean
  /** ms since the epoch. */
  now: number
}

/** A message of the Pipelines API, as far as all its types are alike. */
export interface Message {
  person: Identifier | null
  anonymousId: string | null
  /** When it happened by the client's clock; null where it does not say. */
  at: number | null
  context: Record<string, unknown>
  properties: Record<string, unknown>
  given: Record<string, unknown>
}

/** Reads one message; throws what is wrong with it. */
export function messageAsked(given: unknown, envelope: Envelope): Asked {
  if (!isObject(given)) throw invalid([{ path: 'message', message: 'must be an object' }])
  const message: Message = {
    person: personOf(given),
    anonymousId: nameIn(given.anonymousId, 'anonymousId', AnonymousId),
    at: timeOf(given),
    context: { ...envelope.context, ...(isObject(given.context) ? given.context : {}) },
    properties: objectIn(given.properties, 'properties'),
    given,
  }
  const { messageId } = given
  return {
    action: actionOf(String(envelope.type ?? given.type), message, envelope),
    clientMessageId: isNothing(messageId)
      ? null
      : validated(ClientMessageId, messageId, 'messageId'),
  }
}

const AnonymousId = plainText(255)

function personOf({ userId }: Record<string, unknown>): Identifier | null {
  const id = nameIn(userId, 'userId', IdText)
  return id === null ? null : identifierOf(id)
}

/** Android says `"null"` where nobody is identified. */
function nameIn(value: unknown, place: string, schema: typeof IdText | typeof AnonymousId) {
  return isNothing(value) || value === 'null' ? null : validated(schema, value, place)
}

function objectIn(value: unknown, place: string): Record<string, unknown> {
  if (isNothing(value)) return {}
  if (!isObject(value)) throw invalid([{ path: place, message: 'must be an object' }])
  return value
}

/** Larger numbers than this are milliseconds. */
const secondsMax = 100_000_000_000

function timeOf({ timestamp, originalTimestamp }: Record<string, unknown>): number | null {
  const value = isNothing(timestamp) ? originalTimestamp : timestamp
  if (isNothing(value)) return null
  const ms =
    typeof value === 'number'
      ? Math.round(value < secondsMax ? value * 1000 : value)
      : typeof value === 'string'
        ? Date.parse(value)
        : Number.NaN
  if (Number.isFinite(ms) && ms >= 0 && ms <= timeMax) return ms
  throw invalid([{ path: 'timestamp', message: 'must be an ISO 8601 date-time' }])
}

/** The end of the year 9999. */
const timeMax = 253_402_300_799_999

function actionOf(type: string, message: Message, envelope: Envelope): Action {
  const { given } = message
  switch (type) {
    case 'identify':
      return identifyAction(message)
    case 'track':
      return (
        semanticAction(message, envelope) ?? eventAction(message, 'event', given.event, 'event')
      )
    case 'page':
    case 'screen':
      return eventAction(message, type, nameOfView(message, type), 'name')
    case 'group': {
      const properties = objectIn(given.traits, 'traits')
      return eventAction({ ...message, properties }, 'group', idOf(given.groupId), 'groupId')
    }
    case 'alias':
      return aliasAction(message)
    default:
      throw invalid([
        { path: 'type', message: 'must be one of identify, track, page, screen, group, alias' },
      ])
  }
}

/** With an address alone, that is whom it is about. */
function identifyAction({ person, anonymousId, at, given }: Message): Action {
  const attributes = validated(AttributesInput, objectIn(given.traits, 'traits'), 'traits')
  const { email } = attributes
  const named = person ?? (anonymousId === null ? addressed(email) : null)
  if (named) {
    const said = { id: null, attributes, anonymousId, at, isUpdateOnly: false }
    return { kind: 'identify', person: named, ...said }
  }
  if (anonymousId !== null) return { kind: 'describe-nobody', anonymousId, attributes }
  throw nobody()
}

function addressed(email: unknown): Identifier | null {
  return isNothing(email) ? null : { by: 'email', email: validated(IdText, email, 'traits.email') }
}

function nobody() {
  return invalid([{ path: 'userId', message: 'is required where there is no anonymousId' }])
}

function eventAction(message: Message, type: EventType, name: unknown, place: string): Action {
  const { person, anonymousId, properties, at } = message
  if (!person && anonymousId === null) throw nobody()
  return {
    kind: 'event',
    person,
    anonymousId,
    type,
    name: validated(EventName, name, place),
    properties: validated(EventProperties, properties, 'properties'),
    at,
  }
}

/** Browsers name a page by its address alone. */
function nameOfView({ given, properties }: Message, type: 'page' | 'screen'): unknown {
  const names = [given.name, properties.name, given.category, properties.url, properties.path]
  return names.find((name) => !isNothing(name)) ?? type
}

function idOf(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value
}

/** Says that an anonymous id was this person. It never joins two people. */
function aliasAction({ person, at, given }: Message): Action {
  if (!person) throw nobody()
  const anonymousId = nameIn(given.previousId, 'previousId', AnonymousId)
  if (anonymousId === null) {
    throw invalid([{ path: 'previousId', message: 'is required' }])
  }
  return {
    kind: 'identify',
    person,
    id: null,
    attributes: {},
    anonymousId,
    at,
    isUpdateOnly: false,
  }
}
