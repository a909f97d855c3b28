import type { Lane } from '@pushkeep/domain'
import type { Metrics } from '@pushkeep/runtime'
import type { Acceptance } from '@pushkeep/store'
import { Counter } from 'prom-client'

/** What happens in the push sender, as it is counted. One function an event. */
export interface SenderEvents {
  /** A message was accepted, repeated under its idempotency key, or conflicts with an earlier one. */
  accepted(lane: Lane, result: Acceptance['kind']): void
}

export function createSenderEvents(metrics: Metrics): SenderEvents {
  const messages = new Counter({
    name: 'pushkeep_messages_total',
    help: 'Messages that were accepted, repeated under their idempotency key, or conflicted with it',
    labelNames: ['lane', 'result'],
    registers: [metrics.registry],
  })
  for (const lane of ['transactional', 'bulk']) {
    for (const result of ['accepted', 'repeated', 'conflict']) messages.inc({ lane, result }, 0)
  }
  return { accepted: (lane, result) => messages.inc({ lane, result }) }
}
