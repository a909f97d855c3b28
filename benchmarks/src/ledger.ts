import { inTransaction } from '@pushkeep/store'
import type { Scene } from './scene.ts'

export interface LedgerOptions {
  /** Devices, each of a person of its own. */
  devices: number
  /** Broadcasts that went to all of them. */
  messages: number
  seed: string
}

/** What is in the ledger now. */
export interface Ledger {
  deliveries: number
  /** One of the broadcasts. */
  messageId: string
  /** Somebody who got all of them. */
  personId: string
}

/** Writes people, devices, broadcasts and deliveries as the workers leave them, without sending. */
export async function seedLedger(
  { database, appNo, workspaceNo }: Scene,
  { devices, messages, seed }: LedgerOptions,
): Promise<Ledger> {
  const { rows: registered } = await unhurried<{ first: string }>(
    database,
    `with p as (
       insert into people (workspace_no, id, attributes)
       select $1, $3 || '-' || lpad(i::text, 8, '0'),
              jsonb_build_object('email', 'person-' || i || '@example.com', 'plan', i % 5)
       from generate_series(1, $2::int) i
       returning person_no, id
     ), t as (
       select person_no, encode(sha256(convert_to(id, 'UTF8')), 'hex') as token from p
     ), d as (
       insert into devices (app_no, token_hash, token, platform, provider, person_no, last_used,
                            registered_at, ordered_at)
       select $4, substr(encode(sha256(convert_to(token, 'UTF8')), 'hex'), 1, 32)::uuid, token,
              'ios', 'apns', person_no, extract(epoch from now())::bigint, now(), now()
       from t
       returning device_no, person_no
     ), e as (
       insert into device_events (device_no, kind, person_no)
       select device_no, 'registered', person_no from d
     )
     select min(device_no)::text as first from d`,
    [workspaceNo, devices, seed, appNo],
  )
  // One in fifty bounced, one in two hundred failed: status codes of delivery-codes.ts.
  const { rows } = await unhurried<{ id: string }>(
    database,
    `with m as (
       insert into messages (id, workspace_no, app_no, audience, content, priority, collapse_id,
                             on_unknown, ttl_seconds, lane, expires_at, planned_at)
       select gen_random_uuid(), $1, $2, '{"all": true}',
              jsonb_build_object('content', jsonb_build_object('title', 'Broadcast ' || i)),
              'high', '', 'retry', 3600, 'bulk', now() + interval '1 hour', now()
       from generate_series(1, $3::int) i
       returning message_no, id
     ), l as (
       insert into deliveries (message_no, device_no, person_no, at, status, attempts, reason)
       select m.message_no, d.device_no, d.person_no, now(), d.status, 1,
              case d.status when 2 then 'Unregistered' when 4 then 'BadTopic' end
       from m, lateral (
         select device_no, person_no,
                case when device_no % 50 = 0 then 2 when device_no % 200 = 1 then 4 else 1 end
                  as status
         from devices where app_no = $2 and device_no >= $4) d
       returning message_no, status
     ), c as (
       insert into message_counts (message_no, recipients, sent, bounced, failed, settled_at)
       select message_no, count(*), count(*) filter (where status = 1),
              count(*) filter (where status = 2), count(*) filter (where status = 4), now()
       from l group by message_no
     ), r as (
       insert into message_reasons (message_no, status, reason, deliveries)
       select message_no, status, case status when 2 then 'Unregistered' else 'BadTopic' end,
              count(*)
       from l where status <> 1 group by message_no, status
     )
     select id from m`,
    [workspaceNo, appNo, messages, registered[0]?.first],
  )
  for (const table of ['deliveries', 'devices', 'people', 'messages', 'device_events']) {
    await database.query(`vacuum analyze ${table}`)
  }
  const { rows: sums } = await database.query<{ n: number }>(
    'select count(*)::int as n from deliveries',
  )
  const [message] = rows
  if (!message) throw new Error('no broadcast was written')
  return {
    deliveries: sums[0]?.n ?? 0,
    messageId: message.id,
    personId: `${seed}-${String(Math.ceil(devices / 2)).padStart(8, '0')}`,
  }
}

/** Runs a statement without the limit that a service's statements have: it writes a million rows. */
function unhurried<Row extends object>(
  database: Scene['database'],
  text: string,
  values: unknown[],
): Promise<{ rows: Row[] }> {
  return inTransaction(database, async (sql) => {
    await sql.query('set local statement_timeout = 0')
    return sql.query<Row & Record<string, unknown>>(text, values)
  })
}
