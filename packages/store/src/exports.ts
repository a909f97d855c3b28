import type { Attributes, Environment, LastStatus, Platform } from '@pushkeep/domain'
import type { Sql } from './connect.ts'

/** A page of an export, and where the next one begins; null at the end. */
export interface ExportPage<Row> {
  rows: Row[]
  next: string | null
}

export interface ExportedPerson {
  id: string
  attributes: Attributes
  suppressed: boolean
}

/** A device with all that an import takes over. Times in ms since the epoch. */
export interface ExportedDevice {
  token: string
  platform: Platform
  personId: string | null
  environment: Environment | null
  installationId: string | null
  attributes: Attributes
  pushPermission: boolean
  /** Unix seconds. */
  lastUsed: number
  /** The client's time of the newest call (R1). */
  orderedAt: number
  registeredAt: number
  lastStatus: LastStatus
  statusAt: number | null
  failures: number
  deadAt: number | null
  deadReason: string | null
}

/** The people of a workspace, a page at a time, in the order in which they came; none who was erased. */
export async function exportPeople(
  sql: Sql,
  page: { workspaceNo: number; after: string; limit: number },
): Promise<ExportPage<ExportedPerson>> {
  const { rows } = await sql.query<ExportedPerson & { no: string }>({
    name: 'export-people',
    text: `
      select person_no::text as no, id, attributes, suppressed_at is not null as suppressed
      from people
      where workspace_no = $1 and person_no > $2::bigint and blocked_at is null
      order by person_no limit $3`,
    values: [page.workspaceNo, page.after, page.limit],
  })
  const next = rows.length < page.limit ? null : (rows.at(-1)?.no ?? null)
  return { rows: rows.map(({ no: _, ...person }) => person), next }
}

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`

interface DeviceRow extends Omit<ExportedDevice, 'token'> {
  no: string
  /** null: a tombstone. */
  token: string | null
}

/** The devices of an app, a page at a time. Tombstones take their place in a page and are left out. */
export async function exportDevices(
  sql: Sql,
  page: { appNo: number; after: string; limit: number },
): Promise<ExportPage<ExportedDevice>> {
  const { rows } = await sql.query<DeviceRow>({
    name: 'export-devices',
    // The person by a look for each: joined, PostgreSQL reads all people for each page.
    text: `
      select d.device_no::text as no, d.token, d.platform,
             (select id from people p where p.person_no = d.person_no) as "personId",
             d.environment, d.installation_id as "installationId", d.attributes,
             d.push_permission as "pushPermission", d.last_used::float8 as "lastUsed",
             ${ms('d.ordered_at')} as "orderedAt", ${ms('d.registered_at')} as "registeredAt",
             d.last_status as "lastStatus", ${ms('d.status_at')} as "statusAt", d.failures,
             ${ms('d.dead_at')} as "deadAt", d.dead_reason as "deadReason"
      from devices d where d.app_no = $1 and d.device_no > $2::bigint
      order by d.device_no limit $3`,
    values: [page.appNo, page.after, page.limit],
  })
  const next = rows.length < page.limit ? null : (rows.at(-1)?.no ?? null)
  const live = rows.flatMap(({ no: _, token, ...device }) =>
    token === null ? [] : [{ token, ...device }],
  )
  return { rows: live, next }
}
