import type { Json } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import type { DeviceState, Registration } from './registration-rule.ts'

/** A device of a token that nobody has, and the call that registers it. */
export interface NewDevice {
  /** But for its times. */
  device: DeviceState
  call: Registration
  /** The person whom the call names is added where there is none; else such a device is left out. */
  addsPerson: boolean
}

/** Which were inserted, and when: ms by the database's clock. */
interface Inserted {
  now: number
  /** By app and hash; null: all of them. */
  keys: [appNo: number, tokenHash: string][] | null
}

// One time for a whole statement, so that what it wrote is known by the one that it tells.
const statementMs = `date_trunc('milliseconds', statement_timestamp())`

// Rows come column by column: parsed as records, each of their fields would be looked up by its name,
// which takes twice as long. Whoever deletes a person locks them first, and the rows of these hold theirs.
// A token that stands there nevertheless is left alone, and missed; so is that of somebody blocked, or whom
// another statement adds now.
const insertText = `
  with given as (
    select app_no::int, token_hash::uuid, token, platform, provider, environment, installation_id,
           decode(reader_hash, 'hex') as reader_hash, attributes::jsonb,
           push_permission::boolean, last_used::bigint,
           to_timestamp(ordered_at::float8 / 1000) as ordered_at, workspace_no::int, person_id,
           adds_person::boolean
    from rows from (
      json_array_elements_text($1), json_array_elements_text($2), json_array_elements_text($3),
      json_array_elements_text($4), json_array_elements_text($5), json_array_elements_text($6),
      json_array_elements_text($7), json_array_elements_text($8), json_array_elements($9),
      json_array_elements_text($10), json_array_elements_text($11), json_array_elements_text($12),
      json_array_elements_text($13), json_array_elements_text($14), json_array_elements_text($15)
    ) as g(app_no, token_hash, token, platform, provider, environment, installation_id, reader_hash,
           attributes, push_permission, last_used, ordered_at, workspace_no, person_id, adds_person)
  ), met as materialized (
    select g.*, p.person_no, p.blocked_at
    from given g left join lateral (
      select person_no, blocked_at from people
      where workspace_no = g.workspace_no and id = g.person_id limit 1 for key share) p on true
  ), added as materialized (
    insert into people (workspace_no, id)
    select distinct workspace_no, person_id from met
    where person_no is null and person_id is not null and adds_person
    order by workspace_no, person_id
    on conflict do nothing
    returning person_no, workspace_no, id
  ), written as (
    insert into devices (app_no, token_hash, token, platform, provider, environment, person_no,
                         installation_id, reader_hash, attributes, push_permission, last_used,
                         registered_at, ordered_at)
    select m.app_no, m.token_hash, m.token, m.platform, m.provider, m.environment,
           coalesce(m.person_no, a.person_no), m.installation_id, m.reader_hash, m.attributes,
           m.push_permission, coalesce(m.last_used, extract(epoch from ${statementMs})::bigint),
           ${statementMs}, least(m.ordered_at, ${statementMs})
    from met m left join added a on a.workspace_no = m.workspace_no and a.id = m.person_id
    where m.blocked_at is null
      and (m.person_id is null or coalesce(m.person_no, a.person_no) is not null)
    order by m.app_no, m.token_hash
    on conflict do nothing
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
 * Writes devices of tokens that nobody has, without a look before, each with its `registered` event, and
 * the people whom they may add; a time that the call does not tell is now. The answer leaves out others.
 */
export async function insertDevices(sql: Sql, devices: readonly NewDevice[]): Promise<Inserted> {
  const column = (of: (device: NewDevice) => Json) => JSON.stringify(devices.map(of))
  const { rows } = await sql.query<Inserted>({
    name: 'insert-devices',
    text: insertText,
    values: [
      column(({ device }) => device.appNo),
      column(({ device }) => device.tokenHash),
      column(({ device }) => device.token),
      column(({ device }) => device.platform),
      column(({ device }) => device.provider),
      column(({ device }) => device.environment),
      column(({ device }) => device.installationId),
      column(({ device }) => device.readerHash),
      column(({ device }) => device.attributes),
      column(({ device }) => device.pushPermission),
      column(({ call }) => call.lastUsed),
      column(({ call }) => call.at),
      column(({ call }) => call.workspaceNo),
      column(({ call }) => call.personId),
      column(({ addsPerson }) => addsPerson),
      devices.length,
    ],
  })
  const [inserted] = rows
  if (!inserted) throw new Error('a write gave no row')
  return inserted
}
