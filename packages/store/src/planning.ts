import { type AudienceInput, transactionalDevicesMax } from '@pushkeep/domain'
import { type Database, inTransaction, type Sql } from './connect.ts'
import { doorbellChannel } from './outbox.ts'
import { tokenHash } from './token-hash.ts'

/** Most recipients of one chunk: the unit of work in a queue. */
export const chunkSizeMax = 500

/** How long after its ring a chunk that nobody took is rung again, in seconds. */
export const ringAgainSeconds = 15

/** The named recipients of a message, without repetition. */
export interface Recipients {
  personIds: string[]
  tokenHashes: string[]
}

/** Whom a listed audience names. `all` names nobody: it is planned by walking the devices. */
export function recipientsOf(to: AudienceInput): Recipients {
  const tokens = to.tokens ?? (to.token === undefined ? [] : [to.token])
  // With a token, a person is whose it has to be.
  const personId = tokens.length > 0 ? undefined : to.person_id
  const personIds = to.person_ids ?? (personId === undefined ? [] : [personId])
  return {
    personIds: [...new Set(personIds)],
    tokenHashes: [...new Set(tokens.map(tokenHash))],
  }
}

// Recipients (a device and whom it belongs to now: R6 compares with that at the moment of sending)
// cut into chunks, each of one message, one app and one provider.
const chunksOfRecipients = `
  chunk as (
    insert into chunks (message_no, app_no, provider, lane, device_nos, person_nos, size, rescue_at)
    select message_no, app_no, provider, lane,
           array_agg(device_no order by device_no), array_agg(person_no order by device_no),
           count(*), now() + interval '${ringAgainSeconds} seconds'
    from (
      select m.message_no, r.app_no, r.provider, r.device_no, r.person_no,
             case when count(*) over app > ${transactionalDevicesMax} then 'bulk' else m.lane end as lane,
             (row_number() over (app order by r.device_no) - 1) / ${chunkSizeMax} as slice
      from recipient r join message m using (message_no)
      window app as (partition by r.message_no, r.app_no, r.provider)
    ) cut
    group by message_no, lane, app_no, provider, slice
    returning chunk_no, message_no, provider, lane, size
  )`

// Customer.io's `unsubscribed` is true, 1, or either in text. Nobody looks where it does not matter.
const isSubscribed = `
  (not m.audience ? 'subscribed'
   or coalesce(lower(attributes ->> 'unsubscribed'), '') not in ('true', '1'))`

/**
 * Chunks of listed audiences: of the rows in CTE `addressed`, which are messages with the ids of people
 * (`person_ids`) and the hashes of tokens (`token_hashes`) that each names. Its audience says which devices
 * of a person and whose a token has to be.
 * Devices that were deleted are no recipients; dead or muted ones are, and are reported as withheld.
 * Each lookup is lateral, so that it goes by index whatever the planner believes of a young table:
 * it walked all devices of the app for each message, until their table was analyzed.
 */
export const explicitChunks = `
  recipient as (
    select m.message_no, d.app_no, d.device_no, d.provider, d.person_no
    from addressed m
    cross join unnest(m.person_ids) as named(id)
    cross join lateral (
      select person_no from people where workspace_no = m.workspace_no and id = named.id
        and ${isSubscribed} limit 1) p
    cross join lateral (
      select app_no, device_no, provider, person_no from devices
      where person_no = p.person_no and deleted_at is null
        and (m.app_no is null or app_no = m.app_no)
      order by last_used desc, device_no desc
      limit case when m.audience ->> 'devices' = 'last_used' then 1 end) d
    union
    select m.message_no, d.app_no, d.device_no, d.provider, d.person_no
    from addressed m
    join apps a on a.workspace_no = m.workspace_no and (m.app_no is null or a.app_no = m.app_no)
    cross join unnest(m.token_hashes) as named(hash)
    cross join lateral (
      select app_no, device_no, provider, person_no from devices
      where app_no = a.app_no and token_hash = named.hash and deleted_at is null limit 1) d
    where not m.audience ? 'person_id' or d.person_no = (
      select person_no from people
      where workspace_no = m.workspace_no and id = m.audience ->> 'person_id' and ${isSubscribed})
  ), ${chunksOfRecipients}`

/** How much of an audience one slice of planning takes: devices walked, or list entries. */
const devicesPerSlice = 5000
const entriesPerSlice = 1000

interface Cursor {
  /** Entries of the list that are planned. */
  entries?: number
  appNo?: number
  deviceNo?: number
}

/**
 * Plans the next slice of a message's audience into chunks and rings for them, in one transaction;
 * the cursor moves with it, so that planning that broke off goes on where it stood, and two planners
 * take turns. Returns whether more is left.
 */
export async function planSlice(database: Database, messageNo: string): Promise<boolean> {
  return inTransaction(database, async (sql) => {
    const messages = await sql.query<{ audience: AudienceInput }>(
      'select audience from messages where message_no = $1 and planned_at is null for update',
      [messageNo],
    )
    const [message] = messages.rows
    if (!message) return false
    // A statement of its own, after the lock: one that had to wait would read the cursor as it was before.
    const cursors = await sql.query<{ plan_cursor: Cursor | null }>(
      'select plan_cursor from message_counts where message_no = $1',
      [messageNo],
    )
    const cursor = cursors.rows[0]?.plan_cursor ?? {}
    const next = message.audience.all
      ? await planDevices(sql, messageNo, cursor)
      : await planEntries(sql, messageNo, message.audience, cursor)
    await sql.query(
      next
        ? 'update message_counts set plan_cursor = $2 where message_no = $1'
        : 'update messages set planned_at = now() where message_no = $1 and $2::text is null',
      [messageNo, next],
    )
    return next !== null
  })
}

const messageRow = `message as materialized (
  select message_no, app_no, workspace_no, lane, audience from messages where message_no = $1)`

const ringForChunks = `counted as (
    update message_counts
    set recipients = recipients + (select coalesce(sum(size), 0) from chunk)
    where message_no = $1
  ), rung as (
    insert into outbox (queue, ref) select provider || '-' || lane, chunk_no from chunk
  )`

/**
 * The next devices of the first app that is not done, by keyset; lateral, so that it goes by index: as a
 * join of all apps, each slice was read with all that came after it. Returns the cursor, or null at the end.
 */
async function planDevices(sql: Sql, messageNo: string, cursor: Cursor): Promise<Cursor | null> {
  const { rows } = await sql.query<PlannedSlice>({
    name: 'plan-devices',
    text: `
      with ${messageRow}, app as materialized (
        select a.app_no, m.message_no, lead(a.app_no) over (order by a.app_no) as next_app_no
        from apps a join message m using (workspace_no)
        where (m.app_no is null or a.app_no = m.app_no) and a.app_no >= $2::int
        order by a.app_no limit 1
      ), recipient as materialized (
        select a.message_no, d.app_no, d.device_no, d.provider, d.person_no
        from app a cross join lateral (
          select app_no, device_no, provider, person_no from devices
          where app_no = a.app_no and deleted_at is null
            and device_no > case when a.app_no = $2::int then $3::bigint else 0 end
          order by device_no limit ${devicesPerSlice}) d
      ), ${chunksOfRecipients}, ${ringForChunks}
      select app_no as "appNo", next_app_no as "nextAppNo", r.devices::int, r.last::text,
             pg_notify('${doorbellChannel}', '')
      from app cross join (select count(*) as devices, max(device_no) as last from recipient) r`,
    values: [messageNo, cursor.appNo ?? 0, cursor.deviceNo ?? 0],
  })
  const [slice] = rows
  if (!slice) return null
  const { appNo, nextAppNo, devices, last } = slice
  if (devices === devicesPerSlice) return { appNo, deviceNo: Number(last) }
  return nextAppNo === null ? null : { appNo: nextAppNo, deviceNo: 0 }
}

interface PlannedSlice {
  appNo: number
  /** null: there are no more apps. */
  nextAppNo: number | null
  devices: number
  /** The number of the last device; null where there was none. */
  last: string | null
}

/** The next entries of a list. Returns the cursor, or null at the end. */
async function planEntries(
  sql: Sql,
  messageNo: string,
  audience: AudienceInput,
  cursor: Cursor,
): Promise<Cursor | null> {
  const { personIds, tokenHashes } = recipientsOf(audience)
  const from = cursor.entries ?? 0
  const to = from + entriesPerSlice
  await sql.query({
    name: 'plan-entries',
    text: `
      with ${messageRow}, addressed as (
        select *, $2::text[] as person_ids, $3::uuid[] as token_hashes from message
      ), ${explicitChunks}, ${ringForChunks}
      select pg_notify('${doorbellChannel}', '') from message`,
    values: [messageNo, personIds.slice(from, to), tokenHashes.slice(from, to)],
  })
  return to >= Math.max(personIds.length, tokenHashes.length) ? null : { entries: to }
}
