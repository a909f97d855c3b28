import { deliveryIdOf, type WithheldReason } from '@pushkeep/domain'
import type { DeliveryReport, PersonNames } from '@pushkeep/store'
import { z } from 'zod'
import { namesAnswer, PersonNamesAnswer } from './profile-answer.ts'

const metrics = [
  'created',
  'sent',
  'delivered',
  'opened',
  'clicked',
  'converted',
  'bounced',
  'dropped',
  'undeliverable',
  'failed',
] as const
type Metric = (typeof metrics)[number]

/** A message to a person as the App API shows it. */
export const MessageAnswer = z
  .object({
    id: z.string().describe('The delivery id'),
    type: z.literal('push'),
    deduplicate_id: z.string(),
    customer_id: z.string().nullable().describe('null: several people, or nobody'),
    customer_identifiers: PersonNamesAnswer.nullable(),
    recipient: z.string().nullable().describe('The token of the first device; null: none'),
    recipients: z
      .array(
        z.object({
          device_id: z.string().nullable(),
          device_platform: z.enum(['ios', 'android']).nullable(),
          failure_message: z.string().nullable(),
        }),
      )
      .describe('Each device; the first 100'),
    subject: z.string().nullable().describe('The title'),
    created: z.int(),
    metrics: z
      .partialRecord(z.enum(metrics), z.int())
      .describe('When each first happened on a device, unix seconds'),
    failure_message: z.string().nullable(),
    campaign_id: z.null(),
    newsletter_id: z.null(),
    action_id: z.null(),
  })
  .meta({ id: 'AppApiMessage' })
export type MessageAnswer = z.infer<typeof MessageAnswer>

export interface ShownMessage {
  id: string
  title: string | null
  createdAt: Date
  deliveries: readonly DeliveryReport[]
  customer: PersonNames | null
}

export function messageAnswer({
  id,
  title,
  createdAt,
  deliveries,
  customer,
}: ShownMessage): MessageAnswer {
  const failed = deliveries.find((delivery) => delivery.reason !== null)
  return {
    id: deliveryIdOf(id),
    type: 'push',
    deduplicate_id: `${deliveryIdOf(id)}:${seconds(createdAt)}`,
    customer_id: customer?.id ?? null,
    customer_identifiers: customer && namesAnswer(customer),
    recipient: deliveries.find(({ token }) => token !== null)?.token ?? null,
    recipients: deliveries.map(({ token, platform, reason }) => ({
      device_id: token,
      device_platform: platform,
      failure_message: reason,
    })),
    subject: title,
    created: seconds(createdAt),
    metrics: metricsOf(createdAt, deliveries),
    failure_message: failed?.reason ?? null,
    campaign_id: null,
    newsletter_id: null,
    action_id: null,
  }
}

function metricsOf(
  createdAt: Date,
  deliveries: readonly DeliveryReport[],
): Partial<Record<Metric, number>> {
  const first = new Map<Metric, number>([['created', seconds(createdAt)]])
  const note = (metric: Metric | null, at: Date | null) => {
    if (metric === null || at === null) return
    first.set(metric, Math.min(first.get(metric) ?? Number.POSITIVE_INFINITY, seconds(at)))
  }
  for (const { status, reason, at, receipts } of deliveries) {
    note(outcomeOf(status, reason), at)
    note('delivered', receipts.delivered)
    note('opened', receipts.opened)
    note('clicked', receipts.clicked)
    note('converted', receipts.converted)
  }
  return Object.fromEntries(first)
}

/** Reasons that say that the token failed before: Customer.io drops such a push. */
const dropping = new Set<string | null>([
  ...(['token_dead', 'wrong_app'] satisfies WithheldReason[]),
  // What an older version said of devices that failed twice.
  'failing',
])

/** How Customer.io calls an outcome; null: there is none yet. */
function outcomeOf(status: DeliveryReport['status'], reason: string | null): Metric | null {
  switch (status) {
    case 'pending':
      return null
    case 'sent':
      return 'sent'
    case 'bounced':
      return 'bounced'
    case 'suppressed':
      return dropping.has(reason) ? 'dropped' : 'undeliverable'
    case 'failed':
    case 'expired':
      return 'failed'
  }
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}
