import {
  type DeliveryCounts,
  type Lane,
  type MessageState,
  messageStateOf,
  type ReceiptCounts,
} from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { countsOf, isScheduled, receiptsOf } from './messages.ts'
import { aboveAll, parameterOr } from './secure-conditions.ts'

/** A message as it stands in a list. */
export interface ListedMessage {
  id: string
  state: MessageState
  appId: string | null
  lane: Lane
  /** What it says, in short; null where it is silent. */
  title: string | null
  /** Which kind of audience it has; a list's length. */
  audience: { kind: string; size: number | null }
  createdAt: Date
  /** When it is or was due, where it was scheduled. */
  sendAt: Date | null
  cancelledAt: Date | null
  expiresAt: Date
  counts: DeliveryCounts
  receipts: ReceiptCounts
}

export interface ListedPage {
  messages: ListedMessage[]
  /** The message number that the next page begins below; null at the end. */
  next: string | null
}

interface Row extends Omit<ListedMessage, 'state' | 'counts' | 'receipts'> {
  messageNo: string
  isShown: boolean
  isScheduled: boolean
  isPlanned: boolean
  counts: string[] | null
  receipts: (string | null)[] | null
}

/** Most messages that are looked through for one page: few of them may be for the app in question. */
const lookedThroughMax = 2000

/** Longest title in a list, in characters. */
const titleMax = 120

/** Each has an index of its own. */
const conditions = { bulk: `m.lane = 'bulk'`, scheduled: isScheduled }

const listText = (condition: string) => `
  with seen as materialized (
    select m.* from messages m
    where m.workspace_no = $1 and m.message_no < ${parameterOr('$3::bigint', aboveAll)}
      ${condition}
    order by m.message_no desc limit ${lookedThroughMax}
  ), shown as (
    select *, row_number() over (order by message_no desc) as place
    from seen where $2::int is null or app_no = $2
    order by message_no desc limit $4
  )
  select s.message_no::text as "messageNo", true as "isShown", s.id, a.id as "appId", s.lane,
         left(coalesce(s.content #>> '{content,title}', s.content #>> '{content,body}'), ${titleMax})
           as title,
         (select json_build_object('kind', k.kind, 'size', case
            when jsonb_typeof(s.audience -> k.kind) = 'array'
            then jsonb_array_length(s.audience -> k.kind) end)
          from jsonb_object_keys(s.audience) as k(kind) limit 1) as audience,
         s.created_at as "createdAt", s.send_at as "sendAt", s.cancelled_at as "cancelledAt",
         s.expires_at as "expiresAt", ${isScheduled.replaceAll('m.', 's.')} as "isScheduled",
         s.planned_at is not null as "isPlanned",
         array[c.recipients, c.sent, c.bounced, c.suppressed, c.failed, c.expired] as counts,
         array[r.delivered, r.opened, r.clicked, r.converted] as receipts
  from shown s
  join message_counts c using (message_no)
  left join receipt_counts r using (message_no)
  left join apps a on a.app_no = s.app_no
  union all
  select min(message_no)::text, false, null, null, null, null, null, null, null, null, null, null,
         null, null, null
  from seen having count(*) = ${lookedThroughMax}
  order by 1 desc`

/**
 * A page of a workspace's messages, newest first; with an `appNo`, those for that app alone. Looks
 * through a bounded number of messages, so that a page may be short and still not the last.
 */
export async function listMessages(
  sql: Sql,
  page: {
    workspaceNo: number
    appNo: number | null
    /** Broadcasts and long lists alone, or those that wait for their time. */
    only: 'bulk' | 'scheduled' | null
    before: string | null
    limit: number
  },
): Promise<ListedPage> {
  const { rows } = await sql.query<Row>({
    name: `list-messages-${page.only ?? 'all'}`,
    text: listText(page.only === null ? '' : `and ${conditions[page.only]}`),
    values: [page.workspaceNo, page.appNo, page.before, page.limit + 1],
  })
  const found = rows.filter(({ isShown }) => isShown)
  const shown = found.slice(0, page.limit)
  const more = found.length > page.limit ? shown.at(-1) : rows.find(({ isShown }) => !isShown)
  return { messages: shown.map(listedOf), next: more?.messageNo ?? null }
}

function listedOf({
  messageNo: _,
  isShown: __,
  isScheduled,
  isPlanned,
  ...row
}: Row): ListedMessage {
  const counts = countsOf(row.counts ?? [])
  const state = messageStateOf({ isScheduled, isPlanned, counts })
  return { ...row, state, counts, receipts: receiptsOf(row.receipts ?? []) }
}
