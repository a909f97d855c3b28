import { anonymousDays } from './anonymous-ids.ts'
import type { Sql } from './connect.ts'
import { dayMs, weekMs, weekOf } from './partitions.ts'

/** How long what people did is kept, after it arrived. */
export interface EventRetention {
  eventDays: number
}

/** Most rows that one call deletes of a table that has no partitions to drop. */
const deletedMax = 10_000

/**
 * Drops what has been kept long enough: partitions of people's events and of clients' message ids,
 * anonymous ids that were not seen for a while. A partition that somebody reads just now is left for
 * the next time. `now` in ms.
 */
export async function dropOldEvents(
  sql: Sql,
  now: number,
  { eventDays }: EventRetention,
): Promise<void> {
  const oldestEvent = new Date(now - eventDays * dayMs)
  await dropPartitions(sql, 'person_events', monthLater, oldestEvent)
  await sql.query('delete from person_events_default where received_at < $1', [oldestEvent])
  const lastWeek = new Date(weekOf(now) - weekMs)
  await dropPartitions(sql, 'client_messages', (from) => from.getTime() + weekMs, lastWeek)
  await sql.query('delete from client_messages_default where week < $1', [lastWeek])
  await sql.query(
    `delete from anonymous_ids where (workspace_no, anonymous_id) in (
       select workspace_no, anonymous_id from anonymous_ids where seen_on < $1
       order by seen_on limit ${deletedMax})`,
    [new Date(now - anonymousDays * dayMs)],
  )
}

function monthLater(from: Date): number {
  return Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1, 1)
}

/** Drops the partitions that end before `before`; their names tell when they begin. */
async function dropPartitions(
  sql: Sql,
  parent: 'person_events' | 'client_messages',
  endOf: (from: Date) => number,
  before: Date,
): Promise<void> {
  const { rows } = await sql.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = $1::regclass and c.relname ~ '_\\d{6,8}$'`,
    [parent],
  )
  for (const { name } of rows) {
    if (endOf(beginOf(name)) > before.getTime()) continue
    await sql.query(
      `do $$ begin
         set local lock_timeout = '2s';
         drop table if exists ${name};
       exception when lock_not_available then null; end $$`,
    )
  }
}

function beginOf(name: string): Date {
  const digits = /\d+$/.exec(name)?.[0] ?? ''
  const [year, month, day] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8)]
  return new Date(Date.UTC(Number(year), Number(month) - 1, Number(day || 1)))
}
