import type { ListedMessage as ListedBody, Message } from '@pushkeep/console-api'
import { type AudienceInput, isBalanced } from '@pushkeep/domain'
import {
  type ListedMessage,
  type MessageReport,
  messageProgress,
  messageReasons,
  type Sql,
} from '@pushkeep/store'

/** People of an audience that are named. */
const peopleShown = 10

/** A message as it stands in the list. */
export function listedBody(message: ListedMessage): ListedBody {
  return {
    id: message.id,
    app_id: message.appId,
    lane: message.lane,
    state: message.state,
    title: message.title,
    audience: message.audience,
    created_at: message.createdAt.toISOString(),
    send_at: message.sendAt?.toISOString() ?? null,
    cancelled_at: message.cancelledAt?.toISOString() ?? null,
    expires_at: message.expiresAt.toISOString(),
    counts: message.counts,
    receipts: message.receipts,
  }
}

/** A message with how it went. */
export async function readMessage(sql: Sql, report: MessageReport): Promise<Message> {
  const { messageNo, counts, content, audience } = report
  const isBroadcast = report.lane === 'bulk'
  const [reasons, progress] = await Promise.all([
    messageReasons(sql, { messageNo, recipients: counts.recipients }),
    isBroadcast ? messageProgress(sql, messageNo) : null,
  ])
  return {
    ...listedBody({ ...report, title: titleOf(report), audience: audienceOf(audience) }),
    is_open: report.isOpen,
    balanced: isBalanced(counts, report.isOpen) && !report.isUnbalanced,
    priority: report.priority,
    collapse_id: report.collapseId,
    ttl_seconds: report.ttlSeconds,
    people: (audience.person_ids ?? [audience.person_id ?? []].flat()).slice(0, peopleShown),
    content: content.content ?? null,
    apns: content.apns ?? null,
    fcm: content.fcm ?? null,
    reasons: { is_exact: reasons.isExact, list: reasons.reasons },
    progress: progress && {
      step_seconds: progress.stepSeconds,
      points: progress.points.map(({ at, ...sums }) => ({ ...sums, at: at.toISOString() })),
    },
  }
}

/** What a message says, in short; null where it is silent. */
export function titleOf({ content }: Pick<MessageReport, 'content'>): string | null {
  return (content.content?.title ?? content.content?.body)?.slice(0, 120) ?? null
}

function audienceOf(audience: AudienceInput): ListedBody['audience'] {
  const [[kind, value] = ['all', true]] = Object.entries(audience)
  return { kind, size: Array.isArray(value) ? value.length : null }
}
