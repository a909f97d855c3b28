import { z } from 'zod'
import { TokenInput } from './device.ts'
import { messageIdOf } from './message-id.ts'
import { ClientTime } from './time.ts'

/** What a phone tells of a push, in the order in which it can happen. */
export const receiptEvents = ['delivered', 'opened', 'clicked', 'converted'] as const
export type ReceiptEvent = (typeof receiptEvents)[number]

/**
 * What an event proves, itself included: who opens a push had it delivered, who follows its link
 * opened it. A conversion needs no tap: the push may have been read and the app opened by hand.
 */
const proofs: Record<ReceiptEvent, readonly ReceiptEvent[]> = {
  delivered: ['delivered'],
  opened: ['delivered', 'opened'],
  clicked: ['delivered', 'opened', 'clicked'],
  converted: ['delivered', 'converted'],
}

/** The events that are certain once this one was reported. */
export function provenBy(event: ReceiptEvent): readonly ReceiptEvent[] {
  return proofs[event]
}

/** How many devices told of a message, by event. */
export type ReceiptCounts = Record<ReceiptEvent, number>

/** Most receipts in one call. */
export const receiptListMax = 100

/** A message's id, as the API has it or as the push carries it; yields the UUID. */
const MessageIdInput = z
  .string()
  .max(100, 'must be the id of a message')
  .transform((text, context) => {
    const id = messageIdOf(text)
    if (id === null) context.addIssue({ code: 'custom', message: 'must be the id of a message' })
    return id ?? z.NEVER
  })
  .describe("The message's id, or its `CIO-Delivery-ID` as the push carries it")

/** One receipt: what happened to a message on the device with this token. */
export const ReceiptInput = z.strictObject({
  message_id: MessageIdInput,
  token: TokenInput,
  event: z.enum(receiptEvents, `must be one of ${receiptEvents.join(', ')}`),
  timestamp: ClientTime.optional().describe(
    'When it happened; the time of the request if left out',
  ),
})
export type ReceiptInput = z.infer<typeof ReceiptInput>
