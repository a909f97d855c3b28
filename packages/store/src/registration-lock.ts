import { listOf, textListOf } from './array-literal.ts'
import { capOf } from './caps.ts'
import type { Sql } from './connect.ts'
import type { Deletion } from './deletion-rule.ts'
import { nowMs } from './device-rows.ts'
import { type Answer, deviceRow, type Found, foundBy } from './found-devices.ts'
import { unusedSeconds } from './letting-go.ts'
import { RacedError } from './raced.ts'
import type { Registration } from './registration-rule.ts'
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

const personDevicesCap = capOf('personDevices')

/** Of a person who has as many devices as one may have, so many are looked at to be let go. */
const lettingGoMax = 20

// Each lookup is lateral, so that it goes by index whatever the planner believes of a young table.
const lockText = `
  with wanted as materialized (
    select unnest($1::int[]) as app_no, unnest($2::uuid[]) as token_hash,
           unnest($3::uuid[]) as previous_hash, unnest($4::text[]) as installation_id
  ), named as materialized (
    select p.*, had.devices from (select unnest($5::int[]) as workspace_no, unnest($6::text[]) as id) w
    cross join lateral (
      select person_no, workspace_no, id, blocked_at from people
      where workspace_no = w.workspace_no and id = w.id limit 1) p
    cross join lateral (
      select count(*)::int as devices
      from (select from devices where person_no = p.person_no limit ${personDevicesCap}) d) had
  ), full_up as materialized (
    select person_no from named where devices > 0 and devices >= ${personDevicesCap}
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
    union
    select d.app_no, d.device_no from full_up f cross join lateral (
      select app_no, device_no from devices
      where person_no = f.person_no
        and (dead_at is not null or last_used < extract(epoch from now()) - ${unusedSeconds})
      order by dead_at is null, last_used, device_no limit ${lettingGoMax}) d
  ), locked as materialized (
    select d.*
    from (select app_no, device_no from candidate order by app_no, device_no) c
    cross join lateral (
      select * from devices
      where app_no = c.app_no and device_no = c.device_no for no key update) d
  )
  select extract(epoch from ${nowMs})::float8 * 1000 as now,
    coalesce((select json_agg(${deviceRow}) from locked d), '[]') as devices,
    coalesce((select json_agg(json_build_array(
        workspace_no, id, person_no, blocked_at is not null, devices))
      from named), '[]') as people,
    ${personDevicesCap} as "devicesMax"`

/**
 * Finds and locks the devices that registrations are about, in one order, so that two batches never
 * wait for one another in a circle. A lock that waited gives the row as it is then.
 */
export async function lockDevices(
  sql: Sql,
  wanted: readonly Wanted[],
  triesMax = 10,
): Promise<Found> {
  const people = peopleNamedBy(wanted)
  const { rows } = await sql.query<Answer>({
    name: 'lock-devices',
    text: lockText,
    values: [
      listOf(wanted, (one) => one.app_no),
      listOf(wanted, (one) => one.token_hash),
      listOf(wanted, (one) => one.previous_hash),
      textListOf(wanted, (one) => one.installation_id),
      listOf(people, (person) => person.workspaceNo),
      textListOf(people, (person) => person.id),
    ],
  })
  const [answer] = rows
  if (!answer) throw new Error('a lookup gave no row')
  const found = foundBy(answer)
  // A lock that waited shows a person who came after the statement had begun: the next one sees them.
  if (found) return found
  if (triesMax <= 1) throw new RacedError()
  return lockDevices(sql, wanted, triesMax - 1)
}

/** Each person whom calls name, once. */
function peopleNamedBy(wanted: readonly Wanted[]) {
  const people = new Map<string, { workspaceNo: number; id: string }>()
  for (const { workspace_no: workspaceNo, person_id: id } of wanted) {
    if (id !== null) people.set(`${workspaceNo} ${id}`, { workspaceNo, id })
  }
  return [...people.values()]
}
