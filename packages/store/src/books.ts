import { type Database, inTransaction, type Sql } from './connect.ts'
import { statusCode } from './delivery-codes.ts'

/** A message whose counts are not those of its deliveries. The lists are in the order of statuses. */
export interface Unbalanced {
  id: string
  recipients: string
  /** Sent, bounced, suppressed, failed, expired, as counted while they were recorded. */
  counts: string[]
  /** The same, as its deliveries tell. */
  deliveries: string[]
}

export interface BooksChecked {
  /** Messages that are done and were checked. */
  checked: number
  unbalanced: Unbalanced[]
}

/** A message is left in peace that long before it is checked: nearly all are done by then. */
const settlingSeconds = 60

/** How often one is looked at that takes longer, such as a broadcast, or one that waits for its time. */
const lookAgainAt = `now() + interval '30 seconds'`

const takeText = `
  with slice as materialized (
    select m.message_no, m.planned_at is null or exists (
             select from chunks c where c.message_no = m.message_no and c.state <> 'done') as is_open
    from messages m
    where m.message_no > (select message_no from books_position)
      and m.message_no < message_no_at(now() - interval '${settlingSeconds} seconds')
    order by m.message_no limit $1
  ), moved as (
    update books_position set message_no = last.message_no
    from (select max(message_no) as message_no from slice) last where last.message_no is not null
  ), put_off as (
    insert into books_later (message_no, look_at)
    select message_no, ${lookAgainAt} from slice where is_open on conflict do nothing
  ), looked as materialized (
    select l.message_no, exists (
             select from messages m where m.message_no = l.message_no and m.planned_at is null)
           or exists (
             select from chunks c where c.message_no = l.message_no and c.state <> 'done') as is_open
    from books_later l where l.look_at <= now()
    order by l.look_at limit $1 for update of l
  ), postponed as (
    update books_later l set look_at = ${lookAgainAt}
    from looked o where o.message_no = l.message_no and o.is_open
  ), closed as (
    delete from books_later l using looked o
    where o.message_no = l.message_no and not o.is_open
    returning l.message_no
  )
  select message_no::text from slice where not is_open
  union all
  select message_no::text from closed`

const rowsOf = (status: keyof typeof statusCode) =>
  `count(*) filter (where status = ${statusCode[status]})`

const checkText = `
  with found as (
    select c.message_no, c.recipients,
           array[c.sent, c.bounced, c.suppressed, c.failed, c.expired] as counts, d.deliveries
    from unnest($1::bigint[]) as done(message_no)
    join message_counts c using (message_no)
    cross join lateral (
      select array[${rowsOf('sent')}, ${rowsOf('bounced')}, ${rowsOf('suppressed')},
                   ${rowsOf('failed')}, ${rowsOf('expired')}] as deliveries,
             count(*) as number
      from deliveries where message_no = c.message_no) d
    where c.recipients <> d.number or d.deliveries <>
          array[c.sent, c.bounced, c.suppressed, c.failed, c.expired]
  ), kept as (
    insert into unbalanced_messages (message_no, recipients, counts, deliveries)
    select message_no, recipients, counts, deliveries from found
    on conflict do nothing
  )
  select m.id, f.recipients, f.counts, f.deliveries from found f join messages m using (message_no)`

/**
 * Checks the next messages that are done, `limit` at most, against their deliveries, and keeps what
 * does not add up (R4). Each message is checked once, in order; one that was not done when the check
 * came by is checked when it is. What adds up needs its chunks no more.
 */
export async function checkBooks(database: Database, limit: number): Promise<BooksChecked> {
  return inTransaction(database, async (sql) => {
    const { rows: done } = await sql.query<{ message_no: string }>(takeText, [limit])
    const unbalanced = await check(
      sql,
      done.map((row) => row.message_no),
    )
    return { checked: done.length, unbalanced }
  })
}

async function check(sql: Sql, messageNos: string[]): Promise<Unbalanced[]> {
  if (messageNos.length === 0) return []
  const { rows } = await sql.query<Unbalanced>(checkText, [messageNos])
  await sql.query(
    `delete from chunks where message_no = any($1)
       and message_no not in (select message_no from unbalanced_messages)`,
    [messageNos],
  )
  return rows
}
