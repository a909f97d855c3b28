import { listOf, textListOf } from './array-literal.ts'
import type { Sql } from './connect.ts'
import { deviceValues, givenDevices } from './device-values.ts'
import { RacedError } from './raced.ts'
import type { DeviceState, NewEvent, Tie } from './registration-rule.ts'

/** What a batch writes. */
export interface Changes {
  devices: NewRow[]
  events: { device: DeviceState; event: NewEvent }[]
}

export interface NewRow {
  device: DeviceState
  /** No row of this token is known. */
  isNew: boolean
  /** The row, which is locked, is of this person already. */
  isTieKept: boolean
}

// Tombstones come first: they give up the installation that another row takes. Whoever deletes a person
// locks them first: a row that is tied to somebody by number holds them, and where one of these is gone
// nothing is written.
const writeText = `
  with given as (
    select ${givenDevices},
           unnest($11::bigint[]) as last_used, unnest($12::int[]) as epoch,
           unnest($13::float8[]) as registered_ms, unnest($14::float8[]) as ordered_ms,
           unnest($15::boolean[]) as is_deleted, unnest($16::bigint[]) as person_no,
           unnest($17::int[]) as workspace_no, unnest($18::text[]) as new_person
  ), named as materialized (
    select * from json_to_recordset($19) as p(workspace_no int, id text, person_no bigint, vouched boolean)
  ), tied as materialized (
    select p.person_no
    from (select person_no from named where person_no is not null order by person_no) n
    cross join lateral (
      select person_no from people where person_no = n.person_no limit 1 for key share) p
  ), known as materialized (
    select p.* from named n cross join lateral (
      select person_no, workspace_no, id, blocked_at from people
      where workspace_no = n.workspace_no and id = n.id limit 1 for key share) p
  ), added as (
    insert into people (workspace_no, id, is_vouched, email_vouched)
    select workspace_no, id, coalesce(vouched, false), coalesce(vouched, false) from named
    where id is not null and (workspace_no, id) not in (select workspace_no, id from known)
    order by workspace_no, id
    returning person_no, workspace_no, id
  ), person as materialized (
    select * from known union all select *, null from added
  ), written as (
    insert into devices (app_no, token_hash, token, platform, provider, environment, person_no,
                         installation_id, reader_hash, attributes, push_permission, last_used,
                         epoch, registered_at, ordered_at, deleted_at)
    select d.app_no, d.token_hash, d.token, d.platform, d.provider, d.environment,
           coalesce(d.person_no, p.person_no), d.installation_id, d.reader_hash, d.attributes,
           d.push_permission, d.last_used, d.epoch, to_timestamp(d.registered_ms / 1000),
           to_timestamp(d.ordered_ms / 1000), case when d.is_deleted then clock_timestamp() end
    from given d
    left join person p on p.workspace_no = d.workspace_no and p.id = d.new_person
    where p.blocked_at is null
      and (select count(*) from tied) = (select count(person_no) from named)
    order by d.is_deleted desc, d.app_no, d.token_hash
    on conflict (app_no, token_hash) do update
    set token = excluded.token, platform = excluded.platform, provider = excluded.provider,
        environment = excluded.environment, person_no = excluded.person_no,
        installation_id = excluded.installation_id, reader_hash = excluded.reader_hash,
        attributes = excluded.attributes,
        push_permission = excluded.push_permission, last_used = excluded.last_used,
        epoch = excluded.epoch, registered_at = excluded.registered_at,
        ordered_at = excluded.ordered_at, last_status = '', status_at = null, failures = 0,
        dead_at = null, dead_reason = null, deleted_at = excluded.deleted_at
    where excluded.epoch > 1
    returning app_no, token_hash, device_no, person_no
  ), told as (
    insert into device_events (device_no, at, kind, person_no, detail)
    -- apart by a microsecond, so that they read back in this order
    select w.device_no, statement_timestamp() + e.rank * interval '1 microsecond', e.kind,
           coalesce(e.person_no, p.person_no),
           case when e.from_no is not null then
             jsonb_build_object('from', e.from_no, 'to', coalesce(e.person_no, p.person_no)) end
    from json_to_recordset($20) as e(
      app_no int, token_hash uuid, rank int, kind text, person_no bigint, from_no bigint,
      workspace_no int, new_person text)
    join written w on w.app_no = e.app_no and w.token_hash = e.token_hash
    left join person p on p.workspace_no = e.workspace_no and p.id = e.new_person
  )
  select count(*)::int as count from written`

/** Writes devices that are locked or new, the people that they need and their events. */
export async function writeDevices(sql: Sql, { devices, events }: Changes): Promise<void> {
  const people = peopleNamed()
  const states = devices.map(({ device }) => device)
  const ties = devices.map((row) => people.tie(row))
  const told = events.map(({ device, event }, rank) => ({
    app_no: device.appNo,
    token_hash: device.tokenHash,
    rank,
    kind: event.kind,
    ...people.refer(event.person),
    from_no: event.from?.no ?? undefined,
  }))
  const { rows } = await sql.query<{ count: number }>({
    name: 'write-devices',
    text: writeText,
    values: [
      ...deviceValues(states),
      listOf(states, (device) => device.lastUsed),
      // A row of a token that is not known may be inserted, and replace none.
      listOf(devices, ({ device, isNew }) => (isNew ? 1 : device.epoch)),
      listOf(states, (device) => device.registeredAt),
      listOf(states, (device) => device.orderedAt),
      listOf(states, (device) => device.isDeleted),
      listOf(ties, (tie) => tie.person_no ?? null),
      listOf(ties, (tie) => tie.workspace_no ?? null),
      textListOf(ties, (tie) => tie.new_person ?? null),
      JSON.stringify(people.named()),
      JSON.stringify(told),
    ],
  })
  if (rows[0]?.count !== devices.length) throw new RacedError()
}

// By place: of a join by key the planner might make a scan of all devices. The rows are locked, so that
// none moves.
const touchText = `
  update devices d
  set ordered_at = greatest(d.ordered_at, to_timestamp(t.ordered_at / 1000))
  from json_to_recordset($1) as t(app_no int, token_hash uuid, ordered_at float8)
  cross join lateral (
    select ctid from devices where app_no = t.app_no and token_hash = t.token_hash limit 1) f
  where d.ctid = f.ctid`

/** Moves the order of locked devices forward (R1), and nothing else of them. */
export async function touchDevices(sql: Sql, devices: readonly DeviceState[]): Promise<void> {
  const rows = devices.map(({ appNo, tokenHash, orderedAt }) => ({
    app_no: appNo,
    token_hash: tokenHash,
    ordered_at: orderedAt,
  }))
  await sql.query({ name: 'touch-devices', text: touchText, values: [JSON.stringify(rows)] })
}

/** Nobody, somebody by number, or somebody new by id. */
interface PersonReference {
  person_no?: number
  workspace_no?: number
  new_person?: string
}

/** The people whom rows name: by number, or by id where they may have none yet. */
function peopleNamed() {
  const created = new Map<string, { workspace_no: number; id: string; vouched: boolean }>()
  const tied = new Set<number>()
  function refer(person: Tie | null): PersonReference {
    if (!person) return {}
    if (person.no !== null) return { person_no: person.no }
    const { workspaceNo, id, isVouched = false } = person
    const key = `${workspaceNo} ${id}`
    const vouched = isVouched || (created.get(key)?.vouched ?? false)
    created.set(key, { workspace_no: workspaceNo, id, vouched })
    return { workspace_no: workspaceNo, new_person: id }
  }
  return {
    refer,
    tie({ device: { person }, isTieKept }: NewRow) {
      if (person && person.no !== null && !isTieKept) tied.add(person.no)
      return refer(person)
    },
    named: () => [...created.values(), ...[...tied].map((no) => ({ person_no: no }))],
  }
}
