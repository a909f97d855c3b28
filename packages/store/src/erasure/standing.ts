import type { Sql } from '../connect.ts'
import type { MessageRetention } from '../message-retention.ts'
import { dayMs } from '../partitions.ts'

/** Erasures that messages are still searched for. */
export interface OpenErasures {
  count: number
  /** Since when the oldest is open, in seconds; null: none is. Done within a minute as a rule. */
  oldestSeconds: number | null
}

export async function openErasures(sql: Sql): Promise<OpenErasures> {
  const { rows } = await sql.query<OpenErasures>({
    name: 'open-erasures',
    text: `select count(*)::int as count,
                  extract(epoch from now() - min(asked_at))::float8 as "oldestSeconds"
           from erasures where finished_at is null`,
  })
  return rows[0] ?? { count: 0, oldestSeconds: null }
}

/** Most erasures that one statement ends. */
const endedMax = 1000

/**
 * Removes what is left of people whose erasing was finished so long ago that no message of theirs is kept: the
 * tombstones of their devices (a hash of the token each, which let late calls be known), and the erasure. And
 * what is known of whose devices were. `now` in ms.
 */
export async function dropOldErasures(
  sql: Sql,
  now: number,
  { messageDays, timelineDays }: MessageRetention,
): Promise<void> {
  const before = new Date(now - messageDays * dayMs)
  while ((await endErasures(sql, before)) === endedMax);
  const former = new Date(now - Math.max(messageDays, timelineDays) * dayMs)
  await sql.query('delete from former_devices where at < $1', [former])
}

// A token that was registered again since, or deleted again, is another's now.
async function endErasures(sql: Sql, before: Date): Promise<number> {
  const { rowCount } = await sql.query(
    `with ended as materialized (
       delete from erasures where erasure_no in (
         select erasure_no from erasures where finished_at < $1
         order by finished_at limit ${endedMax})
       returning app_nos, device_nos, asked_at
     ), buried as (
       delete from devices d using (
         select r.app_no, r.device_no, asked_at
         from ended cross join unnest(app_nos, device_nos) as r(app_no, device_no)
       ) e
       where d.app_no = e.app_no and d.device_no = e.device_no
         and d.deleted_at <= e.asked_at and d.ordered_at <= e.asked_at
     )
     select from ended`,
    [before],
  )
  return rowCount ?? 0
}
