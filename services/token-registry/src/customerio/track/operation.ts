import { AttributesInput, type Identifier } from '@pushkeep/domain'
import { invalid } from '@pushkeep/runtime'
import type { Action, Asked } from '../action.ts'
import { metricAction } from '../metric.ts'
import { isNothing, isObject, oneKnownPerson, onePerson } from '../people.ts'
import { needsSecretKey, unsupported, validated } from '../refusal.ts'
import { timeIfAny } from '../time.ts'
import { eventAsked } from './event.ts'
import { deviceAction, identification } from './person.ts'

/** An operation of `/api/v2/entity`, or an item of `/api/v2/batch`. Throws what is wrong with it. */
export function operationAsked(given: unknown, isSecret: boolean): Asked {
  if (!isObject(given)) throw invalid([{ path: 'operation', message: 'must be an object' }])
  const { type } = given
  if (type === 'delivery') return alone(deliveryAction(given))
  if (type === 'object') throw unsupported('objects')
  if (type !== 'person') {
    throw invalid([{ path: 'type', message: 'must be one of person, object, delivery' }])
  }
  if (given.action === 'merge') {
    if (!isSecret) throw needsSecretKey('merge')
    const primary = oneKnownPerson(given.primary, 'primary')
    return alone({
      kind: 'merge',
      primary,
      secondary: oneKnownPerson(given.secondary, 'secondary'),
    })
  }
  const named = actionsOnKnown.has(String(given.action)) ? oneKnownPerson : onePerson
  return personAsked(named(given.identifiers, 'identifiers'), given, isSecret)
}

/** What creates nobody. */
const actionsOnKnown = new Set(['delete', 'suppress', 'unsuppress', 'delete_device'])

const alone = (action: Action): Asked => ({ action, clientMessageId: null })

function personAsked(person: Identifier, given: Record<string, unknown>, isSecret: boolean): Asked {
  const { action } = given
  switch (action) {
    case 'identify':
      return alone(identifyAction(person, given))
    case 'event':
    case 'page':
    case 'screen':
      return eventAsked({ person }, { ...given, type: action }, 'attributes')
    case 'add_device':
      return alone(deviceAction(person, given.device, 'token'))
    case 'delete_device':
      return alone(deleteDeviceAction(person, given.device))
    case 'delete':
    case 'suppress':
    case 'unsuppress':
      if (!isSecret) throw needsSecretKey(action)
      return alone({ kind: action === 'delete' ? 'delete-person' : action, person })
    case 'add_relationships':
    case 'delete_relationships':
      throw unsupported('relationships')
    default:
      throw invalid([{ path: 'action', message: 'is not an action of a person' }])
  }
}

function identifyAction(person: Identifier, given: Record<string, unknown>): Action {
  if (!isNothing(given.cio_relationships)) throw unsupported('cio_relationships')
  const said = identification(given.attributes ?? {}, 'attributes')
  return { ...said, person, at: timeIfAny(given.timestamp, 'timestamp') ?? said.at }
}

function deleteDeviceAction(person: Identifier, device: unknown): Action {
  const token = isObject(device) ? device.token : undefined
  if (typeof token !== 'string' || token === '') {
    throw invalid([{ path: 'device.token', message: 'is required' }])
  }
  return { kind: 'delete-device', person, token, at: null }
}

function deliveryAction(given: Record<string, unknown>): Action {
  if (given.action !== 'event') {
    throw invalid([{ path: 'action', message: 'must be event' }])
  }
  const { id: deliveryId } = isObject(given.identifiers) ? given.identifiers : {}
  const attributes = validated(AttributesInput, given.attributes ?? {}, 'attributes')
  const { device_token: token } = attributes
  return metricAction(
    { deliveryId, metric: given.name, token, timestamp: given.timestamp },
    { deliveryId: 'identifiers.id', metric: 'name', token: 'attributes.device_token' },
  )
}
