import type { Sql } from './connect.ts'
import {
  type DeliveryReport,
  type DeliveryRow,
  deliveryColumns,
  deliveryJoins,
  deliveryOf,
} from './deliveries.ts'
import { aboveAll, parameterOr } from './secure-conditions.ts'

/** A message as it went to one person. */
export interface PersonMessage {
  messageNo: string
  id: string
  /** What its push says first; null where it says nothing. */
  title: string | null
  createdAt: Date
  /** To each device of the person. */
  deliveries: DeliveryReport[]
}

export interface PersonMessageQuery {
  personNo: string
  appNos: readonly number[]
  /** Only deliveries to devices of this app; null: of all. */
  appNo: number | null
  /** The message number below which the page begins; null: at the newest. */
  before: string | null
  /** Only messages whose sending began between, ms since the epoch; null: no bound. */
  fromMs: number | null
  toMs: number | null
  limit: number
}

export interface PersonMessagePage {
  messages: PersonMessage[]
  /** Where the next page begins; null at the end. */
  next: string | null
}

interface Row extends DeliveryRow {
  messageNo: string
  title: string | null
  createdAt: Date
}

/** Whether a delivery `dl` went to the app in $7, where there is one. */
const isSeen = `($7::int is null or exists (
  select from devices where device_no = dl.device_no and app_no = $7))`

// Numbers of messages are time, so that times are bounds of the index.
const text = `
  with page as materialized (
    select distinct dl.message_no
    from deliveries dl
    where dl.person_no = $2 and ${isSeen} and dl.message_no < ${parameterOr('$3::bigint', aboveAll)}
      and ($4::float8 is null or dl.message_no >= message_no_at(to_timestamp($4 / 1000)))
      and ($5::float8 is null or dl.message_no < message_no_at(to_timestamp($5 / 1000)))
    order by dl.message_no desc limit $6
  )
  select dl.message_no::text as "messageNo", m.content #>> '{content,title}' as title,
         m.created_at as "createdAt", ${deliveryColumns}
  from page
  join messages m using (message_no)
  join deliveries dl on dl.message_no = page.message_no and dl.person_no = $2
  ${deliveryJoins}
  where ${isSeen}
  order by dl.message_no desc, dl.device_no`

/**
 * The messages that went to a person, or were withheld from them, newest first, each with what became
 * of it on their devices; with an `appNo`, those that went to that app.
 */
export async function messagesOfPerson(
  sql: Sql,
  { personNo, appNos, appNo, before, fromMs, toMs, limit }: PersonMessageQuery,
): Promise<PersonMessagePage> {
  const { rows } = await sql.query<Row>({
    name: 'messages-of-person',
    text,
    values: [appNos, personNo, before, fromMs, toMs, limit + 1, appNo],
  })
  const messages = [...Map.groupBy(rows, (row) => row.messageNo).values()].map(messageOf)
  const shown = messages.slice(0, limit)
  return {
    messages: shown,
    next: messages.length > limit ? (shown.at(-1)?.messageNo ?? null) : null,
  }
}

function messageOf(rows: [Row, ...Row[]] | Row[]): PersonMessage {
  const [first] = rows
  if (!first) throw new Error('a message without deliveries')
  const { messageNo, messageId: id, title, createdAt } = first
  const deliveries = rows.map(({ messageNo: _, title: __, createdAt: ___, ...row }) =>
    deliveryOf(row),
  )
  return { messageNo, id, title, createdAt, deliveries }
}
