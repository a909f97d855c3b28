import { invalid } from '@pushkeep/runtime'
import type { Action } from '../action.ts'
import { metricAction } from '../metric.ts'
import { needsSecretKey, unsupported } from '../refusal.ts'
import { deviceCreated, deviceDeleted } from './device-event.ts'
import type { Envelope, Message } from './message.ts'

const metricNames = {
  deliveryId: 'properties.deliveryId',
  metric: 'properties.metric',
  token: 'properties.recipient',
}

const ofPerson = {
  'User Deleted': 'delete-person',
  'User Suppressed': 'suppress',
  'User Unsuppressed': 'unsuppress',
} as const

/** Events that stand for what Pushkeep has not. */
const foreign = new Set<unknown>([
  'Report Content Event',
  'Relationship Deleted',
  'Object Deleted',
  'Live Notification Event',
  'Live Notification Token',
])

/** What an event stands for, where its name means more than that it happened; else null. */
export function semanticAction(message: Message, { isSecret, now }: Envelope): Action | null {
  const { event } = message.given
  switch (event) {
    case 'Device Created or Updated':
      return deviceCreated(message, now)
    case 'Device Deleted':
      return deviceDeleted(message)
    case 'Report Delivery Event':
      return deliveryReported(message)
    case 'User Deleted':
    case 'User Suppressed':
    case 'User Unsuppressed':
      if (!isSecret) throw needsSecretKey(event)
      if (!message.person) throw invalid([{ path: 'userId', message: 'is required' }])
      return { kind: ofPerson[event], person: message.person }
    default:
      if (foreign.has(event)) throw unsupported(String(event))
      return null
  }
}

function deliveryReported({ properties, at }: Message): Action {
  const { deliveryId, metric, recipient: token } = properties
  const timestamp = at === null ? null : at / 1000
  return metricAction({ deliveryId, metric, token, timestamp }, metricNames)
}
