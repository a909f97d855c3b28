import { type MessageState, messageStateOf } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { countsOf, isScheduled, type MessageReport, reportsOf } from './messages.ts'

export interface MessageQuery {
  workspaceNo: number
  /** Only messages for this app; null: all. */
  appNo: number | null
  state: MessageState | null
  /** The message number below which the page begins; null: at the newest. */
  before: string | null
  limit: number
}

export interface MessagePage {
  messages: MessageReport[]
  /** Where the next page begins; null at the end. */
  next: string | null
}

/**
 * Most messages that one page looks through: what a filter is for may be rare among millions. Then a
 * page is short, or empty, and the next one goes on.
 */
const lookedThroughMax = 2000

interface Row {
  messageNo: string
  isFor: boolean
  isScheduled: boolean
  isPlanned: boolean
  counts: string[]
}

// Scheduled ones have an index of their own.
const walkText = (only: string) => `
  select m.message_no::text as "messageNo", $2::int is null or m.app_no is not distinct from $2 as "isFor",
         ${isScheduled} as "isScheduled", m.planned_at is not null as "isPlanned",
         array[c.recipients, c.sent, c.bounced, c.suppressed, c.failed, c.expired] as counts
  from (select * from messages m
        where m.workspace_no = $1 and m.message_no < $3::bigint ${only}
        order by m.message_no desc limit $4) m
  join message_counts c using (message_no)
  order by m.message_no desc`

/**
 * A page of a workspace's messages, newest first. A scheduled one stands where it was accepted and,
 * once its sending begins, where that began.
 */
export async function readMessages(sql: Sql, query: MessageQuery): Promise<MessagePage> {
  const { workspaceNo, appNo, state, before, limit } = query
  const isFiltered = appNo !== null || (state !== null && state !== 'scheduled')
  const walked = isFiltered ? lookedThroughMax : limit + 1
  const isWalkOfScheduled = state === 'scheduled'
  const { rows } = await sql.query<Row>({
    name: isWalkOfScheduled ? 'walk-scheduled-messages' : 'walk-messages',
    text: walkText(isWalkOfScheduled ? `and ${isScheduled}` : ''),
    values: [workspaceNo, appNo, before ?? messageNoMax, walked],
  })
  const found = rows.filter((row) => row.isFor && (state === null || stateOf(row) === state))
  const shown = found.slice(0, limit).map((row) => row.messageNo)
  const last =
    found.length > limit ? shown.at(-1) : rows.length === walked && rows.at(-1)?.messageNo
  return { messages: await reportsOf(sql, shown), next: last || null }
}

const messageNoMax = String(2n ** 63n - 1n)

function stateOf({ counts, ...row }: Row): MessageState {
  return messageStateOf({ ...row, counts: countsOf(counts) })
}
