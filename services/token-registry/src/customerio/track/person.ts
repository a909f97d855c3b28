import { type Attributes, AttributesInput, type Identifier, plainText } from '@pushkeep/domain'
import { invalid } from '@pushkeep/runtime'
import type { Action, IdentifyAction } from '../action.ts'
import { type DescribedDevice, registerDevice } from '../device.ts'
import { idIfAny, isNothing, isObject, personNamed } from '../people.ts'
import { unsupported, validated } from '../refusal.ts'
import { timeIfAny } from '../time.ts'

/** Longest text of one attribute, in bytes. */
const attributeTextBytesMax = 1000

/**
 * `PUT /api/v1/customers/{identifier}`: all keys of the body are attributes but those that Customer.io
 * reserves. `place`: where the attributes stand in the call.
 */
export function identifyAction(identifier: string, body: unknown, place: string): IdentifyAction {
  const person = personNamed(identifier, 'identifier')
  return { ...identification(body ?? {}, place), person }
}

/** What an identification says, beside whom it is about. */
export function identification(given: unknown, place: string): Omit<IdentifyAction, 'person'> {
  if (!isObject(given)) throw invalid([{ path: place || 'body', message: 'must be an object' }])
  const {
    id,
    cio_id: _cioId,
    anonymous_id: anonymousId,
    cio_relationships: relationships,
    _timestamp: timestamp,
    _update: isUpdateOnly,
    ...attributes
  } = given
  if (!isNothing(relationships)) throw unsupported('cio_relationships')
  return {
    kind: 'identify',
    id: idIfAny(id, at(place, 'id')),
    attributes: personAttributes(attributes, place),
    anonymousId: isNothing(anonymousId)
      ? null
      : validated(AnonymousId, anonymousId, at(place, 'anonymous_id')),
    at: timeIfAny(timestamp, at(place, '_timestamp')),
    isUpdateOnly: isUpdateOnly === true,
  }
}

export const AnonymousId = plainText(150)

function personAttributes(given: unknown, place: string): Attributes {
  const attributes = validated(AttributesInput, given, place)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value !== 'string' || Buffer.byteLength(value) <= attributeTextBytesMax) continue
    const message = `must be at most ${attributeTextBytesMax} bytes`
    throw invalid([{ path: at(place, key), message }])
  }
  return attributes
}

function at(place: string, key: string): string {
  return place === '' ? key : `${place}.${key}`
}

const deviceNames = (token: string) => ({
  id: `device.${token}`,
  platform: 'device.platform',
  last_used: 'device.last_used',
  attributes: 'device.attributes',
})

/**
 * A device of a person. Attributes stand in `attributes`, or beside id and platform as some clients
 * write them.
 */
export function deviceAction(person: Identifier, given: unknown, tokenKey: 'id' | 'token'): Action {
  if (!isObject(given)) throw invalid([{ path: 'device', message: 'must be an object' }])
  const { [tokenKey]: token, platform, last_used: lastUsed, attributes, ...beside } = given
  const described: DescribedDevice = {
    token,
    platform,
    lastUsed,
    attributes: isNothing(attributes)
      ? beside
      : isObject(attributes)
        ? { ...beside, ...attributes }
        : attributes,
  }
  return registerDevice(person, described, deviceNames(tokenKey))
}
