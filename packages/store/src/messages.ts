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
import type { Sql } from './connect.ts'

/**
 * The last message for this app (null: for all apps) that was accepted under a key that begins so,
 * within so many seconds; null where there is none.
 */
export async function findKeyedMessage(
  sql: Sql,
  query: { workspaceNo: number; appNo: number | null; prefix: string; seconds: number },
): Promise<string | null> {
  const { workspaceNo, appNo, prefix, seconds } = query
  const { rows } = await sql.query<{ id: string }>({
    name: 'find-keyed-message',
    text: `
      select k.message_id as id
      from idempotency_keys k join messages m on m.id = k.message_id
      where k.workspace_no = $1 and k.key >= $2 and k.key < $2 || chr(127)
        and k.created_at > now() - make_interval(secs => $3::int)
        and m.app_no is not distinct from $4
      order by k.created_at desc limit 1`,
    values: [workspaceNo, prefix, seconds, appNo],
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
