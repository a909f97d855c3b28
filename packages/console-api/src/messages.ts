import { z } from 'zod'
import { Count, Counts, Free, LaneName, Receipts, Settled, Status, Time } from './shared.ts'

export const MessageState = z.enum(['scheduled', 'accepted', 'sending', 'done'])
export type MessageState = z.infer<typeof MessageState>

/** Whom a message is for, without naming tokens; `size`: how long a list was. */
export const Audience = z.object({ kind: z.string(), size: z.number().nullable() })

export const ListedMessage = z.object({
  id: z.string(),
  app_id: z.string().nullable(),
  lane: LaneName,
  state: MessageState,
  title: z.string().nullable(),
  audience: Audience,
  created_at: Time,
  /** When it is or was due, where it was scheduled. */
  send_at: Time.nullable(),
  cancelled_at: Time.nullable(),
  expires_at: Time,
  counts: Counts,
  receipts: Receipts,
})
export type ListedMessage = z.infer<typeof ListedMessage>

/** `GET /ops/api/messages?only=&before=` */
export const MessageList = z.object({
  messages: z.array(ListedMessage),
  next: z.string().nullable(),
})
export type MessageList = z.infer<typeof MessageList>

export const ReasonCount = z.object({
  status: Status,
  /** Empty: none was given. */
  reason: z.string(),
  deliveries: Count,
})
export type ReasonCount = z.infer<typeof ReasonCount>

/** `GET /ops/api/messages/{id}`, and the live event `message`. */
export const Message = ListedMessage.extend({
  balanced: z.boolean(),
  /** Whether something of it is still to be planned or sent: it can be cancelled. */
  is_open: z.boolean(),
  priority: z.enum(['high', 'normal']),
  collapse_id: z.string(),
  ttl_seconds: z.number(),
  people: z.array(z.string()).describe('The people it names, ten at most'),
  content: Free.nullable(),
  apns: Free.nullable(),
  fcm: Free.nullable(),
  reasons: z.object({
    /** Counted one by one; otherwise summed up by the workers as they went. */
    is_exact: z.boolean(),
    list: z.array(ReasonCount),
  }),
  /** Deliveries that ended, by stretches of time; null for a short message. */
  progress: z
    .object({ step_seconds: z.number(), points: z.array(Settled.extend({ at: Time })) })
    .nullable(),
})
export type Message = z.infer<typeof Message>

export const Delivery = z.object({
  person_id: z.string().nullable(),
  /** The device's fingerprint; null once it was deleted. */
  device: z.string().nullable(),
  platform: z.enum(['ios', 'android']).nullable(),
  status: Status,
  reason: z.string().nullable(),
  attempts: Count,
  at: Time,
})
export type Delivery = z.infer<typeof Delivery>

/** `GET /ops/api/messages/{id}/deliveries?status=&after=` */
export const DeliveryList = z.object({
  deliveries: z.array(Delivery),
  /** Where to go on; null at the end. A page may be empty and not the last. */
  next: z.string().nullable(),
  looked_through: Count,
})
export type DeliveryList = z.infer<typeof DeliveryList>
