import type { Sql } from './connect.ts'
import { nowMs } from './device-rows.ts'
import type { DeviceState, NewEvent, Tie } from './registration-rule.ts'

/** What the registrations of a batch look for. */
export interface Wanted {
  app_no: number
  token_hash: string
  previous_hash: string | null
  installation_id: string | null
  workspace_no: number
  person_id: string | null
}

export interface FoundPerson {
  workspaceNo: number
  id: string
  no: number
}

/** The rows that a batch meets, locked. `now`: the database's time in ms, after the locks. */
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
      'installationId', d.installation_id, 'attributes', d.attributes,
      'pushPermission', d.push_permission, 'lastUsed', d.last_used, 'epoch', d.epoch,
      'registeredAt', floor(extract(epoch from d.registered_at) * 1000),
      'orderedAt', extract(epoch from d.ordered_at)::float8 * 1000,
      'lastStatus', d.last_status, 'isFailing', d.failures > 0, 'isDead', d.dead_at is not null,
      'isDeleted', d.deleted_at is not null)) from locked d), '[]') as devices,
    coalesce((select json_agg(json_build_object('workspaceNo', p.workspace_no, 'id', p.id,
                                                'no', p.person_no))
      from (select distinct workspace_no, person_id from wanted where person_id is not null) w
      cross join lateral (
        select person_no, workspace_no, id from people
        where workspace_no = w.workspace_no and id = w.person_id limit 1) p), '[]') as people`

/**
 * Finds and locks the devices that registrations are about, in one order, so that two batches never
 * wait for one another in a circle. A lock that waited gives the row as it is then.
 */
export async function lockDevices(sql: Sql, wanted: readonly Wanted[]): Promise<Found> {
  const { rows } = await sql.query<Found>({
    name: 'lock-devices',
    text: lockText,
    values: [JSON.stringify(wanted)],
  })
  const [found] = rows
  if (!found) throw new Error('a lookup gave no row')
  // A lock that waited shows a person who came after the statement had begun: the next one sees them.
  return found.devices.some(hasUnseenPerson) ? lockDevices(sql, wanted) : found
}

function hasUnseenPerson({ person }: DeviceState): boolean {
  return person !== null && person.id === null
}

/** What a batch writes. */
export interface Changes {
  devices: { device: DeviceState; workspaceNo: number; isNew: boolean }[]
  events: { device: DeviceState; workspaceNo: number; event: NewEvent }[]
}

// Tombstones come first: they give up the installation that another row takes. A row that was new
// to the batch and stands there nevertheless came meanwhile: it is left alone, and missed.
const writeText = `
  with person as materialized (
    insert into people (workspace_no, id)
    select workspace_no, id from json_to_recordset($1) as p(workspace_no int, id text)
    order by workspace_no, id
    returning person_no, workspace_no, id
  ), written as (
    insert into devices (app_no, token_hash, token, platform, provider, environment, person_no,
                         installation_id, attributes, push_permission, last_used, epoch,
                         registered_at, ordered_at, deleted_at)
    select d.app_no, d.token_hash, d.token, d.platform, d.provider, d.environment,
           coalesce(d.person_no, p.person_no), d.installation_id, d.attributes, d.push_permission,
           d.last_used, d.epoch, to_timestamp(d.registered_at / 1000),
           to_timestamp(d.ordered_at / 1000), case when d.is_deleted then clock_timestamp() end
    from json_to_recordset($2) as d(
      app_no int, token_hash uuid, token text, platform text, provider text, environment text,
      person_no bigint, installation_id text, attributes jsonb, push_permission boolean,
      last_used bigint, epoch int, registered_at float8, ordered_at float8, is_deleted boolean,
      workspace_no int, new_person text)
    left join person p on p.workspace_no = d.workspace_no and p.id = d.new_person
    order by d.is_deleted desc, d.app_no, d.token_hash
    on conflict (app_no, token_hash) do update
    set token = excluded.token, platform = excluded.platform, provider = excluded.provider,
        environment = excluded.environment, person_no = excluded.person_no,
        installation_id = excluded.installation_id, attributes = excluded.attributes,
        push_permission = excluded.push_permission, last_used = excluded.last_used,
        epoch = excluded.epoch, registered_at = excluded.registered_at,
        ordered_at = excluded.ordered_at, last_status = '', status_at = null, failures = 0,
        dead_at = null, dead_reason = null, deleted_at = excluded.deleted_at
    where excluded.epoch > 1
    returning app_no, token_hash, device_no
  ), told as (
    insert into device_events (device_no, at, kind, person_no, detail)
    -- apart by a microsecond, so that they read back in this order
    select w.device_no, clock_timestamp() + e.rank * interval '1 microsecond', e.kind,
           coalesce(e.person_no, p.person_no),
           case when e.from_no is not null then
             jsonb_build_object('from', e.from_no, 'to', coalesce(e.person_no, p.person_no)) end
    from json_to_recordset($3) as e(
      app_no int, token_hash uuid, rank int, kind text, person_no bigint, from_no bigint,
      workspace_no int, new_person text)
    join written w on w.app_no = e.app_no and w.token_hash = e.token_hash
    left join person p on p.workspace_no = e.workspace_no and p.id = e.new_person
  )
  select count(*)::int as count from written`

/** Another process registered a token first that this one found nowhere: begin anew. */
export class RacedError extends Error {
  constructor() {
    super('another process registered the same token first')
    this.name = 'RacedError'
  }
}

/** Writes devices, the people that they need and their events, in one statement. */
export async function writeDevices(sql: Sql, { devices, events }: Changes): Promise<void> {
  const people = new Map<string, { workspace_no: number; id: string }>()
  const refer = (workspaceNo: number, person: Tie | null) => {
    if (!person || person.no !== null) return { person_no: person?.no ?? null }
    people.set(`${workspaceNo} ${person.id}`, { workspace_no: workspaceNo, id: person.id })
    return { workspace_no: workspaceNo, new_person: person.id }
  }
  const deviceRows = devices.map(({ device, workspaceNo, isNew }) => ({
    app_no: device.appNo,
    token_hash: device.tokenHash,
    token: device.token,
    platform: device.platform,
    provider: device.provider,
    environment: device.environment,
    ...refer(workspaceNo, device.person),
    installation_id: device.installationId,
    attributes: device.attributes,
    push_permission: device.pushPermission,
    last_used: device.lastUsed,
    epoch: isNew ? 1 : device.epoch,
    registered_at: device.registeredAt,
    ordered_at: device.orderedAt,
    is_deleted: device.isDeleted,
  }))
  const eventRows = events.map(({ device, workspaceNo, event }, rank) => ({
    app_no: device.appNo,
    token_hash: device.tokenHash,
    rank,
    kind: event.kind,
    ...refer(workspaceNo, event.person),
    from_no: event.from?.no ?? null,
  }))
  const { rows } = await sql.query<{ count: number }>({
    name: 'write-devices',
    text: writeText,
    values: [[...people.values()], deviceRows, eventRows].map((list) => JSON.stringify(list)),
  })
  if (rows[0]?.count !== devices.length) throw new RacedError()
}
