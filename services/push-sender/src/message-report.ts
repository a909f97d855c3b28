import {
  ApnsOverride,
  type AudienceInput,
  ContentInput,
  type DeliveryCounts,
  FcmOverride,
  isBalanced,
  type MessageState,
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

/** Body of `GET /v1/messages/{id}`. */
export const MessageBody = z
  .object({
    id: z.uuid(),
    state: z
      .enum(['accepted', 'sending', 'done'])
      .describe('`accepted` until planned, `sending` until nothing is pending'),
    balanced: z
      .boolean()
      .describe('Whether the counts add up, and are those of its deliveries once it is done'),
    counts: Counts,
    app_id: z.uuid().nullable().describe('null: every app'),
    lane: z.enum(['transactional', 'bulk']),
    priority: z.enum(['high', 'normal']),
    collapse_id: z.string(),
    ttl_seconds: z.int(),
    to: z
      .union([
        z.strictObject({ all: z.literal(true) }),
        z.strictObject({ person_id: z.string() }),
        z.strictObject({ person_ids: z.array(z.string()).max(listedPeopleMax) }),
        z.strictObject({ people: z.int().describe('How many people a longer list named') }),
        z.strictObject({ tokens: z.int().describe('How many tokens were named') }),
      ])
      .describe('The audience; tokens are never repeated'),
    content: ContentInput.nullable(),
    apns: ApnsOverride.nullable(),
    fcm: FcmOverride.nullable(),
    created_at: z.iso.datetime(),
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
    state: stateOf(report.plannedAt, report.counts),
    balanced: isBalanced(report.counts, report.isOpen) && !report.isUnbalanced,
    counts: report.counts,
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
    expires_at: report.expiresAt.toISOString(),
    cancelled_at: report.cancelledAt?.toISOString() ?? null,
  }
}

/** Chunks of a long list are sent while the rest is planned: there are recipients, but not all. */
function stateOf(plannedAt: Date | null, counts: DeliveryCounts): MessageState {
  if (plannedAt === null) return counts.recipients === 0 ? 'accepted' : 'sending'
  return counts.pending > 0 ? 'sending' : 'done'
}

function audienceBody(to: AudienceInput): MessageBody['to'] {
  if (to.person_id !== undefined) return { person_id: to.person_id }
  if (to.person_ids) {
    const { person_ids } = to
    return person_ids.length > listedPeopleMax ? { people: person_ids.length } : { person_ids }
  }
  if (to.token !== undefined) return { tokens: 1 }
  if (to.tokens) return { tokens: to.tokens.length }
  return { all: true }
}
