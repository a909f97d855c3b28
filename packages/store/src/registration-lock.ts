import type { Sql } from './connect.ts'
import type { Deletion } from './deletion-rule.ts'
import { nowMs } from './device-rows.ts'
import { RacedError } from './raced.ts'
import type { DeviceState, Registration } from './registration-rule.ts'
import { tokenHash } from './token-hash.ts'

/** What the registrations of a batch look for. */
export interface Wanted {
  app_no: number
  token_hash: string
  previous_hash: string | null
  installation_id: string | null
  workspace_no: number
  person_id: string | null
}

/** What a registration looks for. */
export function wantedBy(call: Registration): Wanted {
  const hash = tokenHash(call.token)
  const previous = call.previousToken === null ? null : tokenHash(call.previousToken)
  return {
    app_no: call.appNo,
    token_hash: hash,
    previous_hash: previous === hash ? null : previous,
    installation_id: call.installationId,
    workspace_no: call.workspaceNo,
    person_id: call.personId,
  }
}

/** What a deletion looks for. */
export function wantedToDelete({ appNo, token }: Deletion): Wanted {
  return {
    app_no: appNo,
    token_hash: tokenHash(token),
    previous_hash: null,
    installation_id: null,
    workspace_no: 0,
    person_id: null,
  }
}

export interface FoundPerson {
  workspaceNo: number
  id: string
  no: number
  /** Erased: calls about them are ignored. */
  isBlocked: boolean
}

/** The rows that a batch meets, locked; `now`: the database's time in ms, after the locks. */
export interface Found {
  now: number
  devices: DeviceState[]
  people: FoundPerson[]
}

// Each lookup is lateral, so that it goes by index whatever the planner believes of a young table.
const lockText = `
  with wanted as materialized (
    select * from json_to_recordset($1) as w(
      app_no int, token_hash uuid, previous_hash uuid, installation_id text, workspace_no int,
      person_id text)
  ), candidate as materialized (
    select d.app_no, d.device_no from wanted w cross join lateral (
      select app_no, device_no from devices
      where app_no = w.app_no and token_hash = w.token_hash limit 1) d
    union
    select d.app_no, d.device_no from wanted w cross join lateral (
      select app_no, device_no from devices
      where app_no = w.app_no and token_hash = w.previous_hash limit 1) d
    where w.previous_hash is not null
    union
    select d.app_no, d.device_no from wanted w cross join lateral (
      select app_no, device_no from devices
      where app_no = w.app_no and installation_id = w.installation_id and deleted_at is null
      limit 1) d
    where w.installation_id is not null
  ), locked as materialized (
    select d.*
    from (select app_no, device_no from candidate order by app_no, device_no) c
    cross join lateral (
      select * from devices
      where app_no = c.app_no and device_no = c.device_no for no key update) d
  )
  select extract(epoch from ${nowMs})::float8 * 1000 as now,
    coalesce((select json_agg(json_build_object(
      'appNo', d.app_no, 'tokenHash', replace(d.token_hash::text, '-', ''), 'token', d.token,
      'platform', d.platform, 'provider', d.provider, 'environment', d.environment,
      'person', case when d.person_no is not null then json_build_object(
        'no', d.person_no, 'id', (select id from people where person_no = d.person_no)) end,
      'installationId', d.installation_id, 'readerHash', encode(d.reader_hash, 'hex'),
      'attributes', d.attributes,
      'pushPermission', d.push_permission, 'lastUsed', d.last_used, 'epoch', d.epoch,
      'registeredAt', floor(extract(epoch from d.registered_at) * 1000),
      'orderedAt', extract(epoch from d.ordered_at)::float8 * 1000,
      'lastStatus', d.last_status, 'isFailing', d.failures > 0, 'isDead', d.dead_at is not null,
      'isDeleted', d.deleted_at is not null)) from locked d), '[]') as devices,
    coalesce((select json_agg(json_build_object('workspaceNo', p.workspace_no, 'id', p.id,
        'no', p.person_no, 'isBlocked', p.blocked_at is not null))
      from (select distinct workspace_no, person_id from wanted where person_id is not null) w
      cross join lateral (
        select person_no, workspace_no, id, blocked_at from people
        where workspace_no = w.workspace_no and id = w.person_id limit 1) p), '[]') as people`

/**
 * Finds and locks the devices that registrations are about, in one order, so that two batches never
 * wait for one another in a circle. A lock that waited gives the row as it is then.
 */
export async function lockDevices(
  sql: Sql,
  wanted: readonly Wanted[],
  triesMax = 10,
): Promise<Found> {
  const { rows } = await sql.query<Found>({
    name: 'lock-devices',
    text: lockText,
    values: [JSON.stringify(wanted)],
  })
  const [found] = rows
  if (!found) throw new Error('a lookup gave no row')
  // A lock that waited shows a person who came after the statement had begun: the next one sees them.
  if (!found.devices.some(hasUnseenPerson)) return found
  if (triesMax <= 1) throw new RacedError()
  return lockDevices(sql, wanted, triesMax - 1)
}

function hasUnseenPerson({ person }: DeviceState): boolean {
  return person !== null && person.id === null
}
