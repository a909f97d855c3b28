import { messageIdOf, receiptEvents, TokenInput } from '@pushkeep/domain'
import { invalid } from '@pushkeep/runtime'
import { z } from 'zod'
import type { MetricAction } from './action.ts'
import { isNothing } from './people.ts'
import { validated } from './refusal.ts'
import { timeIfAny } from './time.ts'

const Metric = z.enum(receiptEvents, `must be one of ${receiptEvents.join(', ')}`)

/** What a phone tells of a push, under the names of the route that it came by. */
export function metricAction(
  given: { deliveryId: unknown; metric: unknown; token: unknown; timestamp: unknown },
  names: { deliveryId: string; metric: string; token: string },
): MetricAction {
  return {
    kind: 'metric',
    messageId: deliveryIdIn(given.deliveryId, names.deliveryId),
    event: validated(Metric, given.metric, names.metric),
    token: validated(TokenInput, given.token, names.token),
    at: timeIfAny(given.timestamp, 'timestamp'),
  }
}

function deliveryIdIn(given: unknown, name: string): string {
  const id = typeof given === 'string' ? messageIdOf(given) : null
  if (id !== null) return id
  const message = isNothing(given) ? 'is required' : 'is not of a message of Pushkeep'
  throw invalid([{ path: name, message }])
}
