import type {
  AudienceInput,
  DeliveryCounts,
  Lane,
  MessageContent,
  NewMessage,
} from '@pushkeep/domain'
import { v7 as uuidv7 } from 'uuid'
import type { Sql } from './connect.ts'
import { doorbellChannel } from './outbox.ts'
import { explicitChunks, type Recipients, recipientsOf } from './planning.ts'

/** A message as it is to be accepted. */
export interface AcceptedMessage {
  workspaceNo: number
  /** null: every app of the workspace. */
  appNo: number | null
  message: NewMessage
  lane: Lane
  /** Plan it in the same statement: the audience is a short list. */
  planNow: boolean
  idempotency: { key: string; bodyHash: Buffer } | null
  /** The trace that delivering it is to belong to (W3C `traceparent`), if there is one. */
  traceparent?: string | null
}

export type Acceptance =
  | { kind: 'accepted'; id: string }
  /** The same key and body came before. */
  | { kind: 'repeated'; id: string }
  /** The same key came before with another body. */
  | { kind: 'conflict' }

/**
 * Stores a message, its idempotency key and its doorbell in one statement: all are committed when
 * this returns, or none. A short audience is planned here too, which spares one-person messages a hop.
 */
export async function acceptMessage(sql: Sql, accepted: AcceptedMessage): Promise<Acceptance> {
  const id = uuidv7()
  const stored = await insertMessage(sql, id, accepted)
  if (stored) return { kind: 'accepted', id }
  const { idempotency, workspaceNo } = accepted
  if (!idempotency) throw new Error('a message without a key was not stored')
  const { rows } = await sql.query<{ message_id: string; body_hash: Buffer }>(
    `select message_id, body_hash from idempotency_keys where workspace_no = $1 and key = $2`,
    [workspaceNo, idempotency.key],
  )
  const [prior] = rows
  // Removed by retention between the two statements: the key is free again.
  if (!prior) return acceptMessage(sql, accepted)
  return prior.body_hash.equals(idempotency.bodyHash)
    ? { kind: 'repeated', id: prior.message_id }
    : { kind: 'conflict' }
}

const insertText = `
  with claimed as (
    insert into idempotency_keys (workspace_no, key, body_hash, message_id)
    select $2, $10::text, $11::bytea, $1 where $10::text is not null
    on conflict do nothing
    returning 1
  ), message as (
    insert into messages (id, workspace_no, app_no, audience, content, priority, collapse_id,
                          on_unknown, ttl_seconds, lane, expires_at, planned_at, traceparent)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $12,
           now() + make_interval(secs => greatest($9::int, 30)),
           case when $13 then now() end, $16
    where $10::text is null or exists (select from claimed)
    returning message_no, app_no, workspace_no, lane
  ), ${explicitChunks}, counted as (
    insert into message_counts (message_no, recipients)
    select message_no, coalesce((select sum(size) from chunk), 0) from message
  ), rung as (
    insert into outbox (queue, ref)
    select provider || '-' || lane, chunk_no from chunk
    union all
    select 'plan', message_no from message where not $13
  )
  select pg_notify('${doorbellChannel}', '') from message`

/** A push that is worth nothing later (`ttl_seconds` 0) still gets half a minute to leave here. */
async function insertMessage(sql: Sql, id: string, accepted: AcceptedMessage): Promise<boolean> {
  const { message, workspaceNo, idempotency, planNow } = accepted
  const content: MessageContent = {
    content: message.content,
    apns: message.apns,
    fcm: message.fcm,
  }
  const recipients: Recipients = planNow
    ? recipientsOf(message.to)
    : { personIds: [], tokenHashes: [] }
  const { rowCount } = await sql.query({
    name: 'accept-message',
    text: insertText,
    values: [
      id,
      workspaceNo,
      accepted.appNo,
      message.to,
      content,
      message.priority,
      message.collapse_id ?? id,
      message.on_unknown,
      message.ttl_seconds,
      idempotency?.key ?? null,
      idempotency?.bodyHash ?? null,
      accepted.lane,
      planNow,
      recipients.personIds,
      recipients.tokenHashes,
      accepted.traceparent ?? null,
    ],
  })
  return rowCount === 1
}

/** A message as it is reported. */
export interface MessageReport {
  id: string
  messageNo: string
  appId: string | null
  lane: Lane
  priority: NewMessage['priority']
  collapseId: string
  ttlSeconds: number
  audience: AudienceInput
  content: MessageContent
  createdAt: Date
  expiresAt: Date
  plannedAt: Date | null
  cancelledAt: Date | null
  counts: DeliveryCounts
  /** Whether something of it is still to be planned or sent. */
  isOpen: boolean
  /** Its deliveries were counted, and do not add up to its counts. */
  isUnbalanced: boolean
}

interface ReportRow extends Omit<MessageReport, 'counts'> {
  counts: string[]
}

/**
 * A message of this workspace with its counts, read in one snapshot; null where it has none such.
 * With an `appNo`, only a message for that app.
 */
export async function findMessage(
  sql: Sql,
  { workspaceNo, appNo, id }: { workspaceNo: number; appNo: number | null; id: string },
): Promise<MessageReport | null> {
  const { rows } = await sql.query<ReportRow>({
    name: 'find-message',
    text: `
      select m.id, m.message_no::text as "messageNo", a.id as "appId", m.lane, m.priority,
             m.collapse_id as "collapseId", m.ttl_seconds as "ttlSeconds", m.audience, m.content,
             m.created_at as "createdAt", m.expires_at as "expiresAt", m.planned_at as "plannedAt",
             m.cancelled_at as "cancelledAt",
             m.planned_at is null or exists (
               select from chunks where message_no = m.message_no and state <> 'done') as "isOpen",
             exists (select from unbalanced_messages where message_no = m.message_no)
               as "isUnbalanced",
             array[c.recipients, c.sent, c.bounced, c.suppressed, c.failed, c.expired] as counts
      from messages m
      join message_counts c using (message_no)
      left join apps a on a.app_no = m.app_no
      where m.workspace_no = $1 and m.id = $2 and ($3::int is null or m.app_no = $3)`,
    values: [workspaceNo, id, appNo],
  })
  const [row] = rows
  return row ? { ...row, counts: countsOf(row.counts) } : null
}

function countsOf(row: string[]): DeliveryCounts {
  const [recipients = 0, sent = 0, bounced = 0, suppressed = 0, failed = 0, expired = 0] =
    row.map(Number)
  const pending = recipients - sent - bounced - suppressed - failed - expired
  return { recipients, sent, bounced, suppressed, failed, expired, pending }
}
