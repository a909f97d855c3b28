import type { Sql } from './connect.ts'
import { dayMs, dropPartitions } from './partitions.ts'

export interface MessageRetention {
  /** How long a message is kept with its deliveries, after it ended. */
  messageDays: number
  /** How long a device's timeline is kept. */
  timelineDays: number
}

/** How long an idempotency key is remembered. */
const idempotencyDays = 7

/** Most rows that one statement deletes: each is short, and none holds others up. */
const deletedMax = 5000

/**
 * Removes what has been kept long enough: messages that are over, with counts, deliveries, receipts and
 * the sums that the console draws, keys of requests, and timelines. Deliveries, receipts and timelines
 * go by the partition. `now` in ms.
 */
export async function dropOldMessages(
  sql: Sql,
  now: number,
  { messageDays, timelineDays }: MessageRetention,
): Promise<void> {
  const oldest = new Date(now - messageDays * dayMs)
  while ((await deleteMessages(sql, oldest)) === deletedMax);
  const oldestKey = new Date(now - idempotencyDays * dayMs)
  while ((await deleteKeys(sql, oldestKey)) === deletedMax);
  const isOver = async (from: Date, to: Date) => to <= oldest && !(await holds(sql, from, to))
  for (const parent of ['deliveries', 'receipts'] as const) {
    await dropPartitions(sql, parent, isOver)
  }
  const oldestEvent = new Date(now - timelineDays * dayMs)
  await dropPartitions(sql, 'device_events', (_, to) => to <= oldestEvent)
}

/** Of those that expired before `oldest` and have no open work; how many. */
async function deleteMessages(sql: Sql, oldest: Date): Promise<number> {
  const { rowCount } = await sql.query(
    `with old as materialized (
       select message_no from messages m
       where message_no < message_no_at($1) and expires_at < $1 and planned_at is not null
         and not exists (select from chunks c
                         where c.message_no = m.message_no and c.state <> 'done')
       order by message_no limit ${deletedMax}
     ), counts as (
       delete from message_counts where message_no in (select message_no from old)
     ), reasons as (
       delete from message_reasons where message_no in (select message_no from old)
     ), progress as (
       delete from message_progress where message_no in (select message_no from old)
     ), done as (
       delete from chunks where message_no in (select message_no from old)
     ), unbalanced as (
       delete from unbalanced_messages where message_no in (select message_no from old)
     ), later as (
       delete from books_later where message_no in (select message_no from old)
     ), receipts as (
       delete from receipt_counts where message_no in (select message_no from old)
     ), early as (
       delete from early_receipts where message_no in (select message_no from old)
     ), unplaced as (
       delete from deliveries_default where message_no in (select message_no from old)
     ), unplaced_receipts as (
       delete from receipts_default where message_no in (select message_no from old)
     )
     delete from messages where message_no in (select message_no from old)`,
    [oldest],
  )
  return rowCount ?? 0
}

async function deleteKeys(sql: Sql, oldest: Date): Promise<number> {
  const { rowCount } = await sql.query(
    `delete from idempotency_keys where (workspace_no, key) in (
       select workspace_no, key from idempotency_keys where created_at < $1
       order by created_at limit ${deletedMax})`,
    [oldest],
  )
  return rowCount ?? 0
}

/** Whether a message of that time is still there: one whose lane is paused, say. */
async function holds(sql: Sql, from: Date, to: Date): Promise<boolean> {
  const { rows } = await sql.query<{ holds: boolean }>(
    `select exists (select from messages
                    where message_no >= message_no_at($1) and message_no < message_no_at($2)) as holds`,
    [from, to],
  )
  return rows[0]?.holds ?? true
}
