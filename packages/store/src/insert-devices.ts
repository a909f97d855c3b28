import { listOf, textListOf } from './array-literal.ts'
import { noProof, vouchesFor } from './caller-proof.ts'
import { capOf } from './caps.ts'
import type { Sql } from './connect.ts'
import { deviceValues, givenDevices } from './device-values.ts'
import type { DeviceState, Registration } from './registration-rule.ts'

/** Whether the caller has shown to speak for the person whom the call names. */
function vouchesForNamed({ proof = noProof, personId }: Registration): boolean {
  return personId !== null && vouchesFor(proof, personId)
}

/** A device of a token that nobody has, and the call that registers it. */
export interface NewDevice {
  /** But for its times. */
  device: DeviceState
  call: Registration
  /** The person whom the call names is added where there is none; else such a device is left out. */
  addsPerson: boolean
}

/** For each device, how many before it are for the same person. */
function devicesBefore(devices: readonly NewDevice[]): number[] {
  const counts = new Map<string, number>()
  return devices.map(({ call: { workspaceNo, personId } }) => {
    if (personId === null) return 0
    const key = `${workspaceNo} ${personId}`
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    return count
  })
}

/** Which were inserted, and when: ms by the database's clock. */
interface Inserted {
  now: number
  /** By app and hash; null: all of them. */
  keys: [appNo: number, tokenHash: string][] | null
}

const personDevicesCap = capOf('personDevices')

// One time for a whole statement, so that what it wrote is known by the one that it tells.
const statementMs = `date_trunc('milliseconds', statement_timestamp())`

// A call that deletes a person locks them first, and the rows of these hold theirs. The token of a person who is
// blocked, has as many devices as one may have, or is added by another statement now, is missed.
const insertText = (onTaken: string) => `
  with given as (
    select *, to_timestamp(ordered_ms / 1000) as ordered_at
    from (
      select ${givenDevices},
             unnest($11::bigint[]) as last_used, unnest($12::float8[]) as ordered_ms,
             unnest($13::int[]) as workspace_no, unnest($14::text[]) as person_id,
             unnest($15::boolean[]) as adds_person, unnest($17::boolean[]) as vouches,
             unnest($18::int[]) as devices_before) g
  ), met as materialized (
    select g.*, p.person_no, p.blocked_at,
           ${personDevicesCap} > 0 and g.devices_before + coalesce(had.devices, 0) >= ${personDevicesCap} as is_full
    from given g left join lateral (
      select person_no, blocked_at from people
      where workspace_no = g.workspace_no and id = g.person_id limit 1 for key share) p on true
    left join lateral (
      select count(*) as devices
      from (select from devices where person_no = p.person_no limit ${personDevicesCap}) d
    ) had on p.person_no is not null
  ), added as materialized (
    insert into people (workspace_no, id, is_vouched, email_vouched)
    select workspace_no, person_id, bool_or(vouches), bool_or(vouches) from met
    where person_no is null and person_id is not null and adds_person
    group by workspace_no, person_id order by workspace_no, person_id
    on conflict do nothing
    returning person_no, workspace_no, id
  ), written as (
    insert into devices (app_no, token_hash, token, platform, provider, environment, person_no,
                         installation_id, reader_hash, attributes, push_permission, last_used,
                         registered_at, ordered_at)
    select m.app_no, m.token_hash, m.token, m.platform, m.provider, m.environment,
           coalesce(m.person_no, a.person_no), m.installation_id, m.reader_hash, m.attributes,
           m.push_permission, least(m.last_used, floor(extract(epoch from ${statementMs}))::bigint),
           ${statementMs}, least(m.ordered_at, ${statementMs})
    from met m left join added a on a.workspace_no = m.workspace_no and a.id = m.person_id
    where m.blocked_at is null and not m.is_full
      and (m.person_id is null or coalesce(m.person_no, a.person_no) is not null)
    order by m.app_no, m.token_hash
    ${onTaken}
    returning app_no, token_hash, device_no, person_no
  ), told as (
    insert into device_events (device_no, at, kind, person_no)
    select device_no, statement_timestamp(), 'registered', person_no from written
  )
  select extract(epoch from ${statementMs})::float8 * 1000 as now,
    case when count(*) < $16::int then
      (select coalesce(json_agg(json_build_array(app_no, replace(token_hash::text, '-', ''))), '[]')
       from written) end as keys
  from written`

/**
 * What becomes of a token that stands there nevertheless: it is left alone, and missed, or the statement fails
 * (as unique_violation). Then it need not look first, which is a sixth of its time.
 */
export type OnTaken = 'miss' | 'fail'

const statements = {
  miss: { name: 'insert-devices', text: insertText('on conflict do nothing') },
  fail: { name: 'insert-devices-all', text: insertText('') },
} satisfies Record<OnTaken, object>

/**
 * Writes devices of tokens that nobody has, without a look before, each with its `registered` event, and
 * the people whom they may add; a time that the call does not tell is now. The answer leaves out others.
 */
export async function insertDevices(
  sql: Sql,
  devices: readonly NewDevice[],
  onTaken: OnTaken,
): Promise<Inserted> {
  const { rows } = await sql.query<Inserted>({
    ...statements[onTaken],
    values: [
      ...deviceValues(devices.map(({ device }) => device)),
      listOf(devices, ({ call }) => call.lastUsed),
      listOf(devices, ({ call }) => call.at),
      listOf(devices, ({ call }) => call.workspaceNo),
      textListOf(devices, ({ call }) => call.personId),
      listOf(devices, ({ addsPerson }) => addsPerson),
      devices.length,
      listOf(devices, ({ call }) => vouchesForNamed(call)),
      listOf(devicesBefore(devices), (count) => count),
    ],
  })
  const [inserted] = rows
  if (!inserted) throw new Error('a write gave no row')
  return inserted
}
