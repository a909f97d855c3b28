import {
  ApnsOverride,
  AudienceInput,
  ContentInput,
  FcmOverride,
  isBalanced,
  messageStates,
} from '@pushkeep/domain'
import type { MessageReport } from '@pushkeep/store'
import { z } from 'zod'

/** Longer lists of people are not repeated, only counted. */
const listedPeopleMax = 10

const Count = z.int().min(0)

const Counts = z
  .object({
    recipients: Count,
    sent: Count,
    bounced: Count,
    suppressed: Count,
    failed: Count,
    expired: Count,
    pending: z.int().describe('Not settled yet; below 0 only where the counts do not add up'),
  })
  .describe('recipients = sent + bounced + suppressed + failed + expired + pending')

const Receipts = z
  .object({ delivered: Count, opened: Count, clicked: Count, converted: Count })
  .describe('On how many devices it was seen to: what phones reported, beside the outcomes')

const { devices, subscribed } = AudienceInput.shape
const Choice = { devices, subscribed }

/** Body of `GET /v1/messages/{id}`. */
export const MessageBody = z
  .object({
    id: z.uuid(),
    state: z
      .enum(messageStates)
      .describe(
        '`scheduled` until it is due, `accepted` until planned, `sending` until nothing is pending',
      ),
    balanced: z
      .boolean()
      .describe('Whether the counts add up, and are those of its deliveries once it is done'),
    counts: Counts,
    receipts: Receipts,
    app_id: z.uuid().nullable().describe('null: every app'),
    lane: z.enum(['transactional', 'bulk']),
    priority: z.enum(['high', 'normal']),
    collapse_id: z.string(),
    ttl_seconds: z.int(),
    to: z
      .union([
        z.strictObject({ all: z.literal(true) }),
        z.strictObject({ person_id: z.string(), ...Choice }),
        z.strictObject({ person_id: z.string(), tokens: z.int(), ...Choice }),
        z.strictObject({
          person_ids: z.array(z.string()).max(listedPeopleMax),
          ...Choice,
        }),
        z.strictObject({
          people: z.int().describe('How many people a longer list named'),
          ...Choice,
        }),
        z.strictObject({ tokens: z.int().describe('How many tokens were named') }),
      ])
      .describe('The audience; tokens are never repeated'),
    content: ContentInput.nullable(),
    apns: ApnsOverride.nullable(),
    fcm: FcmOverride.nullable(),
    created_at: z.iso.datetime(),
    send_at: z.iso.datetime().nullable().describe('When it is or was due, where it was scheduled'),
    expires_at: z.iso.datetime(),
    cancelled_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Message' })
export type MessageBody = z.infer<typeof MessageBody>

/** A message as its sender sees it. */
export function messageBody(report: MessageReport): MessageBody {
  const { content, apns, fcm } = report.content
  return {
    id: report.id,
    state: report.state,
    balanced: isBalanced(report.counts, report.isOpen) && !report.isUnbalanced,
    counts: report.counts,
    receipts: report.receipts,
    app_id: report.appId,
    lane: report.lane,
    priority: report.priority,
    collapse_id: report.collapseId,
    ttl_seconds: report.ttlSeconds,
    to: audienceBody(report.audience),
    content: content ?? null,
    apns: apns ?? null,
    fcm: fcm ?? null,
    created_at: report.createdAt.toISOString(),
    send_at: report.sendAt?.toISOString() ?? null,
    expires_at: report.expiresAt.toISOString(),
    cancelled_at: report.cancelledAt?.toISOString() ?? null,
  }
}

function audienceBody(to: AudienceInput): MessageBody['to'] {
  const { person_id, person_ids } = to
  const choice = {
    ...(to.devices === undefined ? {} : { devices: to.devices }),
    ...(to.subscribed === undefined ? {} : { subscribed: to.subscribed }),
  }
  if (person_id !== undefined) {
    const tokens = to.token === undefined ? {} : { tokens: 1 }
    return { person_id, ...tokens, ...choice }
  }
  if (person_ids) {
    const isLong = person_ids.length > listedPeopleMax
    return isLong ? { people: person_ids.length, ...choice } : { person_ids, ...choice }
  }
  if (to.token !== undefined) return { tokens: 1 }
  if (to.tokens) return { tokens: to.tokens.length }
  return { all: true }
}
