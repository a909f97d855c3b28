import type {
  Attributes,
  DeliveryStatus,
  Environment,
  LastStatus,
  Platform,
  Provider,
} from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { statusOf } from './delivery-codes.ts'

/** A device with everything that decides whether it is sent to. Named by its token's hash alone. */
export interface StandingDevice {
  appNo: number
  appId: string
  /** The first 128 bits of SHA-256 of its token, in hex. */
  fingerprint: string
  deviceNo: number
  platform: Platform
  provider: Provider
  environment: Environment | null
  attributes: Attributes
  installationId: string | null
  /** Unix seconds. */
  lastUsed: number
  createdAt: Date
  registeredAt: Date
  lastStatus: LastStatus
  statusAt: Date | null
  pushPermission: boolean
  failures: number
  deadAt: Date | null
  deadReason: string | null
}

const columns = `
  d.app_no as "appNo", a.id as "appId", replace(d.token_hash::text, '-', '') as fingerprint,
  d.device_no::float8 as "deviceNo", d.platform, d.provider, d.environment, d.attributes,
  d.installation_id as "installationId", d.last_used::float8 as "lastUsed",
  d.created_at as "createdAt", d.registered_at as "registeredAt", d.last_status as "lastStatus",
  d.status_at as "statusAt", d.push_permission as "pushPermission", d.failures,
  d.dead_at as "deadAt", d.dead_reason as "deadReason"`

/** Most devices of a person that are shown. */
const devicesMax = 100

/** A person's devices of these apps, the one used last first. */
export async function standingDevices(
  sql: Sql,
  { personNo, appNos }: { personNo: string; appNos: readonly number[] },
): Promise<StandingDevice[]> {
  const { rows } = await sql.query<StandingDevice>({
    name: 'standing-devices',
    text: `
      select ${columns}
      from devices d join apps a on a.app_no = d.app_no
      where d.person_no = $1 and d.app_no = any($2) and d.deleted_at is null
      order by d.last_used desc, d.device_no desc limit ${devicesMax}`,
    values: [personNo, appNos],
  })
  return rows
}

/** A device of these apps by its fingerprint, with its token and its person's id; null: none. */
export async function findByFingerprint(
  sql: Sql,
  { appNos, fingerprint }: { appNos: readonly number[]; fingerprint: string },
): Promise<(StandingDevice & { token: string; personNo: string | null }) | null> {
  const { rows } = await sql.query<StandingDevice & { token: string; personNo: string | null }>({
    name: 'device-by-fingerprint',
    text: `
      select ${columns}, d.token, d.person_no::text as "personNo"
      from devices d join apps a on a.app_no = d.app_no
      where d.app_no = any($1) and d.token_hash = $2 and d.deleted_at is null
      order by d.registered_at desc limit 1`,
    values: [appNos, fingerprint],
  })
  return rows[0] ?? null
}

/** A delivery to one of a person's devices. */
export interface PersonDelivery {
  messageId: string
  /** What the message says, in short; null where it is silent. */
  title: string | null
  fingerprint: string
  status: DeliveryStatus
  reason: string | null
  attempts: number
  /** When it was settled; for a pending one, when it is tried again. */
  at: Date
}

interface DeliveryRow extends Omit<PersonDelivery, 'status'> {
  status: number
}

/** The last deliveries to a person, newest message first. */
export async function lastDeliveries(
  sql: Sql,
  query: { personNo: string; appNos: readonly number[]; limit: number },
): Promise<PersonDelivery[]> {
  const { rows } = await sql.query<DeliveryRow>({
    name: 'last-deliveries',
    text: `
      select m.id as "messageId",
             left(coalesce(m.content #>> '{content,title}', m.content #>> '{content,body}'), 120)
               as title,
             replace(d.token_hash::text, '-', '') as fingerprint, dl.status, dl.reason, dl.attempts,
             dl.at
      from deliveries dl
      join messages m using (message_no)
      join lateral (
        select token_hash from devices
        where app_no = any($2) and device_no = dl.device_no limit 1) d on true
      where dl.person_no = $1
      order by dl.message_no desc, dl.device_no desc limit $3`,
    values: [query.personNo, query.appNos, query.limit],
  })
  return rows.map(({ status, ...row }) => ({ ...row, status: statusOf(status) }))
}
