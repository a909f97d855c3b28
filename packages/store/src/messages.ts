import {
  type AudienceInput,
  type DeliveryCounts,
  type Lane,
  type MessageContent,
  type MessageState,
  messageStateOf,
  type NewMessage,
  type ReceiptCounts,
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
  /** Plan it in the same statement: the audience is a short list, and it is due now. */
  planNow: boolean
  idempotency: { key: string; bodyHash: Buffer } | null
  /** The attributes of the person that its templates read; null or left out: it has none. */
  personKeys?: readonly string[] | null
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

/** A push that is worth nothing later (`ttl_seconds` 0) still gets half a minute to leave here. */
export function timeToLive(seconds: string): string {
  return `make_interval(secs => greatest(${seconds}, 30))`
}

const insertText = `
  with claimed as (
    insert into idempotency_keys (workspace_no, key, body_hash, message_id)
    select $2, $10::text, $11::bytea, $1 where $10::text is not null
    on conflict do nothing
    returning 1
  ), due as (
    select case when not $13 and to_timestamp($16::float8 / 1000) > now()
                then to_timestamp($16::float8 / 1000) end as send_at
  ), message as (
    insert into messages (id, workspace_no, app_no, audience, content, priority, collapse_id,
                          on_unknown, ttl_seconds, lane, send_at, expires_at, planned_at, traceparent,
                          person_keys)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $12, send_at,
           coalesce(send_at, now()) + ${timeToLive('$9::int')}, case when $13 then now() end, $17, $18
    from due
    where $10::text is null or exists (select from claimed)
    returning message_no, app_no, workspace_no, lane, audience, coalesce(send_at, now()) as due_at
  ), ${explicitChunks}, counted as (
    insert into message_counts (message_no, recipients)
    select message_no, coalesce((select sum(size) from chunk), 0) from message
  ), rung as (
    insert into outbox (queue, ref, due_at)
    select provider || '-' || lane, chunk_no, now() from chunk
    union all
    select 'plan', message_no, due_at from message where not $13
  )
  select pg_notify('${doorbellChannel}', '') from message`

async function insertMessage(sql: Sql, id: string, accepted: AcceptedMessage): Promise<boolean> {
  const { message, workspaceNo, idempotency, planNow } = accepted
  const content: MessageContent = {
    content: message.content,
    apns: message.apns,
    fcm: message.fcm,
    ...(accepted.personKeys && { trigger: message.trigger ?? {} }),
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
      message.send_at ?? null,
      accepted.traceparent ?? null,
      accepted.personKeys ?? null,
    ],
  })
  return rowCount === 1
}

/**
 * The last message that was accepted under a key that begins so, within so many seconds; null where
 * there is none.
 */
export async function findKeyedMessage(
  sql: Sql,
  { workspaceNo, prefix, seconds }: { workspaceNo: number; prefix: string; seconds: number },
): Promise<string | null> {
  const { rows } = await sql.query<{ id: string }>({
    name: 'find-keyed-message',
    text: `
      select message_id as id from idempotency_keys
      where workspace_no = $1 and key >= $2 and key < $2 || chr(127)
        and created_at > now() - make_interval(secs => $3::int)
      order by created_at desc limit 1`,
    values: [workspaceNo, prefix, seconds],
  })
  return rows[0]?.id ?? null
}

/** A message as it is reported. */
export interface MessageReport {
  id: string
  state: MessageState
  messageNo: string
  appId: string | null
  lane: Lane
  priority: NewMessage['priority']
  collapseId: string
  ttlSeconds: number
  audience: AudienceInput
  content: MessageContent
  createdAt: Date
  /** When it is or was due, where it was scheduled. */
  sendAt: Date | null
  expiresAt: Date
  cancelledAt: Date | null
  counts: DeliveryCounts
  /** Whether something of it is still to be planned or sent. */
  isOpen: boolean
  /** Its deliveries were counted, and do not add up to its counts. */
  isUnbalanced: boolean
  receipts: ReceiptCounts
}

interface ReportRow extends Omit<MessageReport, 'state' | 'counts' | 'receipts'> {
  isScheduled: boolean
  isPlanned: boolean
  counts: string[]
  receipts: (string | null)[]
}

/** Whether a message `m` waits for its time. (One that is cancelled counts as planned.) */
export const isScheduled = `(
  m.send_at is not null and m.begun_at is null and m.planned_at is null)`

const reports = `
  select m.id, m.message_no::text as "messageNo", a.id as "appId", m.lane, m.priority,
         m.collapse_id as "collapseId", m.ttl_seconds as "ttlSeconds", m.audience, m.content,
         m.created_at as "createdAt", m.send_at as "sendAt", m.expires_at as "expiresAt",
         m.cancelled_at as "cancelledAt",
         ${isScheduled} as "isScheduled", m.planned_at is not null as "isPlanned",
         m.planned_at is null or exists (
           select from chunks where message_no = m.message_no and state <> 'done') as "isOpen",
         exists (select from unbalanced_messages where message_no = m.message_no)
           as "isUnbalanced",
         array[c.recipients, c.sent, c.bounced, c.suppressed, c.failed, c.expired] as counts,
         array[r.delivered, r.opened, r.clicked, r.converted] as receipts
  from messages m
  join message_counts c using (message_no)
  left join receipt_counts r using (message_no)
  left join apps a on a.app_no = m.app_no`

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
    text: `${reports}
      where m.workspace_no = $1 and m.id = $2 and ($3::int is null or m.app_no = $3)`,
    values: [workspaceNo, id, appNo],
  })
  const [row] = rows
  return row ? reportOf(row) : null
}

/** The messages with these numbers, the greatest first. */
export async function reportsOf(sql: Sql, messageNos: readonly string[]): Promise<MessageReport[]> {
  const { rows } = await sql.query<ReportRow>({
    name: 'reports-of-messages',
    text: `${reports} where m.message_no = any($1::bigint[]) order by m.message_no desc`,
    values: [messageNos],
  })
  return rows.map(reportOf)
}

function reportOf({ isScheduled, isPlanned, ...row }: ReportRow): MessageReport {
  const counts = countsOf(row.counts)
  const state = messageStateOf({ isScheduled, isPlanned, counts })
  return { ...row, state, counts, receipts: receiptsOf(row.receipts) }
}

/** Counts as they stand in an array: recipients, sent, bounced, suppressed, failed, expired. */
export function countsOf(row: string[]): DeliveryCounts {
  const [recipients = 0, sent = 0, bounced = 0, suppressed = 0, failed = 0, expired = 0] =
    row.map(Number)
  const pending = recipients - sent - bounced - suppressed - failed - expired
  return { recipients, sent, bounced, suppressed, failed, expired, pending }
}

/** Receipts as they stand in a row; none was taken: null. */
export function receiptsOf(row: (string | null)[]): ReceiptCounts {
  const [delivered = 0, opened = 0, clicked = 0, converted = 0] = row.map(Number)
  return { delivered, opened, clicked, converted }
}
