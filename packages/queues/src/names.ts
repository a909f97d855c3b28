import { type Lane, lanes, type Provider, providers } from '@pushkeep/domain'

/** The queue of messages whose audience is to be planned. */
export const planQueue = 'plan'

/** The queue of chunks for one provider and lane. The store composes the same name in SQL. */
export function deliveryQueue(provider: Provider, lane: Lane): string {
  return `${provider}-${lane}`
}

/** Whether a queue's chunks are of messages to one person or a few. */
export function isForOne(queue: string): boolean {
  return providers.some((provider) => queue === deliveryQueue(provider, 'transactional'))
}

/** Every queue there is. */
export const queueNames: readonly string[] = [
  planQueue,
  ...providers.flatMap((provider) => lanes.map((lane) => deliveryQueue(provider, lane))),
]
