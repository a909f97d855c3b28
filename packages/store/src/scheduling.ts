import { timeToLive } from './acceptance.ts'
import { capOf } from './caps.ts'
import type { Sql } from './connect.ts'
import { isScheduled } from './messages.ts'
import { doorbellChannel } from './outbox.ts'

const scheduledCap = capOf('scheduledMessages')

const roomText = `
  select ${scheduledCap} as "most",
    ${scheduledCap} > 0
    and not exists (select from idempotency_keys where workspace_no = $1 and key = $2)
    and (select count(*) from (
           select from messages m where m.workspace_no = $1 and ${isScheduled}
           limit ${scheduledCap}) waiting) >= ${scheduledCap} as "isFull"`

/**
 * Whether a workspace has as many messages waiting for their time as it may have (`most`). A call that repeats one
 * under its idempotency `key` adds none. Calls of one moment do not see one another's.
 */
export async function scheduledRoom(
  sql: Sql,
  { workspaceNo, key }: { workspaceNo: number; key: string | null },
): Promise<{ most: number; isFull: boolean }> {
  const { rows } = await sql.query<{ most: number; isFull: boolean }>({
    name: 'scheduled-room',
    text: roomText,
    values: [workspaceNo, key],
  })
  const [room] = rows
  if (!room) throw new Error('a count gave no row')
  return room
}

const beginText = `
  with begun as (
    update messages m
    set message_no = next_message_no(), begun_at = now(),
        expires_at = now() + ${timeToLive('m.ttl_seconds')}
    where m.message_no = $1 and m.send_at <= now() and ${isScheduled}
    returning m.message_no
  ), moved as (
    update message_counts set message_no = begun.message_no from begun
    where message_counts.message_no = $1
  )
  select message_no::text as "messageNo" from begun
  union all
  select m.message_no::text from messages m where m.message_no = $1 and not ${isScheduled}`

/**
 * Begins to send a message: a scheduled one that is due gets the number of this moment, from which
 * its time to live counts too. Returns the number to plan; null where the message is not due yet, or
 * another planner has begun with it.
 */
export async function beginMessage(sql: Sql, messageNo: string): Promise<string | null> {
  const { rows } = await sql.query<{ messageNo: string }>({
    name: 'begin-message',
    text: beginText,
    values: [messageNo],
  })
  return rows[0]?.messageNo ?? null
}

/**
 * `released`: it is due now. `begun`: its time had come before. `cancelled`: it will not be sent.
 * `not-scheduled`: it was for at once. `unknown`: there is no such message.
 */
export type Release = 'released' | 'begun' | 'cancelled' | 'not-scheduled' | 'unknown'

// Its doorbell stands at its time in the outbox, and is moved to now.
const releaseText = `
  with found as materialized (
    select m.message_no, m.send_at, m.cancelled_at, ${isScheduled} as waits from messages m
    where m.workspace_no = $1 and m.id = $2 and ($3::int is null or m.app_no = $3)
    for update
  ), released as (
    update messages m set send_at = least(m.send_at, now()) from found f
    where m.message_no = f.message_no and f.waits
  ), rung as (
    update outbox o set due_at = now() from found f
    where f.waits and o.due_at = f.send_at and o.ref = f.message_no and o.queue = 'plan'
  )
  select case when waits then 'released' when send_at is null then 'not-scheduled'
              when cancelled_at is not null then 'cancelled' else 'begun' end as release,
         pg_notify('${doorbellChannel}', '')
  from found`

/** Sends a scheduled message now. With an `appNo`, only a message for that app. */
export async function releaseMessage(
  sql: Sql,
  { workspaceNo, appNo, id }: { workspaceNo: number; appNo: number | null; id: string },
): Promise<Release> {
  const { rows } = await sql.query<{ release: Release }>({
    name: 'release-message',
    text: releaseText,
    values: [workspaceNo, id, appNo],
  })
  return rows[0]?.release ?? 'unknown'
}
