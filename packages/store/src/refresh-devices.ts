import type { Attributes, Environment } from '@pushkeep/domain'
import { listOf, textListOf } from './array-literal.ts'
import { noProof } from './caller-proof.ts'
import type { Sql } from './connect.ts'
import { nowMs } from './device-rows.ts'
import { deviceValues, givenDevices } from './device-values.ts'
import { decideNew, firstsOfTokens, type Item } from './new-registrations.ts'
import { type Registered, viewOf } from './registration-batch.ts'
import type { Registration } from './registration-rule.ts'

// A row that somebody else writes now is waited for; then it is missed, or looked at again as they leave it (as
// PostgreSQL's version has it), so that all that the refresh depends on is asked of the row itself. By place and in one order, as locks are taken. A device that
// stays with its person does not hold them: whoever deletes them comes to the device, too.
const refreshText = `
  with given as (
    select ${givenDevices},
           unnest($11::bigint[]) as last_used, unnest($12::float8[]) as ordered_ms,
           unnest($13::int[]) as workspace_no, unnest($14::text[]) as person_id,
           unnest($15::int[]) as call_no, unnest($16::boolean[]) as is_proven
  ), met as materialized (
    select g.*, to_timestamp(g.ordered_ms / 1000) as at, f.ctid as place, p.person_no
    from given g
    cross join lateral (
      select ctid, device_no from devices
      where app_no = g.app_no and token_hash = g.token_hash limit 1) f
    left join lateral (
      select person_no from people
      where workspace_no = g.workspace_no and id = g.person_id and blocked_at is null limit 1) p on true
    where g.person_id is null or p.person_no is not null
    order by g.app_no, f.device_no
  ), refreshed as (
    update devices d
    set token = m.token, platform = m.platform, provider = m.provider,
        environment = coalesce(m.environment, d.environment),
        attributes = d.attributes || m.attributes,
        last_used = least(m.last_used, floor(extract(epoch from ${nowMs}))::bigint),
        epoch = d.epoch + 1, registered_at = ${nowMs},
        ordered_at = greatest(d.ordered_at, least(m.at, ${nowMs})),
        last_status = '', status_at = null
    from met m
    where d.ctid = m.place
      and d.deleted_at is null and d.dead_at is null and d.failures = 0
      and d.push_permission = m.push_permission
      and (m.person_id is null or d.person_no = m.person_no)
      and (m.installation_id is null or d.installation_id = m.installation_id)
      and (m.reader_hash is null or d.reader_hash = m.reader_hash)
      and (d.reader_hash is null or d.reader_hash = m.reader_hash or m.is_proven)
      and (m.at is null or d.ordered_at <= m.at)
    returning m.call_no, m.person_id is null as is_unnamed, d.environment, d.installation_id,
              d.attributes, d.last_used, d.registered_at, d.person_no
  )
  select coalesce(json_agg(json_build_array(
    call_no, environment, installation_id, attributes, last_used,
    floor(extract(epoch from registered_at) * 1000),
    case when is_unnamed then (select id from people where person_no = r.person_no) end)), '[]')
    as devices
  from refreshed r`

type Refreshed = [
  callNo: number,
  environment: Environment | null,
  installationId: string | null,
  attributes: Attributes,
  lastUsed: number,
  registeredAt: number,
  /** null: nobody, or whom the call names. */
  personId: string | null,
]

/**
 * Registers what most apps do at each start, in one statement: a token that is known, for whom it is of,
 * with nothing to tell (`decideRegistration` would give no event, and no other row has a part in it). null
 * for all other calls, of which nothing is written.
 */
export async function refreshDevices(
  sql: Sql,
  items: readonly Item[],
): Promise<(Registered | null)[]> {
  const results: (Registered | null)[] = items.map(() => null)
  const firsts = [...firstsOfTokens(items, mayRefresh).values()].flatMap((callNo) => {
    const item = items[callNo]
    return item ? [{ ...item, callNo, device: decideNew(item) }] : []
  })
  if (firsts.length === 0) return results
  const { rows } = await sql.query<{ devices: Refreshed[] }>({
    name: 'refresh-devices',
    text: refreshText,
    values: [
      ...deviceValues(firsts.map(({ device }) => device)),
      listOf(firsts, ({ call }) => call.lastUsed),
      listOf(firsts, ({ call }) => call.at),
      listOf(firsts, ({ call }) => call.workspaceNo),
      textListOf(firsts, ({ call }) => call.personId),
      listOf(firsts, ({ callNo }) => callNo),
      listOf(firsts, ({ call }) => isProven(call)),
    ],
  })
  const devices = new Map(firsts.map(({ callNo, device }) => [callNo, device]))
  for (const row of rows[0]?.devices ?? []) {
    const [callNo, environment, installationId, attributes, lastUsed, registeredAt, id] = row
    const device = devices.get(callNo)
    if (!device) throw new Error('a refresh names no call')
    const view = viewOf({
      ...device,
      environment,
      installationId,
      attributes,
      lastUsed,
      registeredAt,
    })
    results[callNo] = { applied: true, device: { ...view, personId: id ?? view.personId } }
  }
  return results
}

/** Whether the caller is known to a device that is already tied to the person whom it names. */
function isProven({ proof = noProof, personId }: Registration): boolean {
  return proof.isSecretKey || (personId !== null && proof.personIds.includes(personId))
}

/** What the statement cannot say: attributes that go, a person who goes. */
function mayRefresh({ call }: Item): boolean {
  return call.change.remove.length === 0 && !(call.isAnonymous && call.personId === null)
}
