import { anonymousDays } from './anonymous-ids.ts'
import type { Sql } from './connect.ts'
import { dayMs, dropPartitions, weekMs, weekOf } from './partitions.ts'

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
  await dropPartitions(sql, 'person_events', (_, to) => to <= oldestEvent)
  await sql.query('delete from person_events_default where received_at < $1', [oldestEvent])
  const lastWeek = new Date(weekOf(now) - weekMs)
  await dropPartitions(
    sql,
    'client_messages',
    (from) => from.getTime() + weekMs <= lastWeek.getTime(),
  )
  await sql.query('delete from client_messages_default where week < $1', [lastWeek])
  await sql.query(
    `delete from anonymous_ids where (workspace_no, anonymous_id) in (
       select workspace_no, anonymous_id from anonymous_ids where seen_on < $1
       order by seen_on limit ${deletedMax})`,
    [new Date(now - anonymousDays * dayMs)],
  )
}
