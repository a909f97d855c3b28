import { type CallerProof, noProof } from './caller-proof.ts'
import { type Database, inTransaction, type Sql } from './connect.ts'
import type { Deletion } from './deletion-rule.ts'
import { type Device, deviceColumns, orderedAt } from './device-rows.ts'
import { withRaces } from './raced.ts'
import { applyDeletion, type DeviceChanged, openBatch, writeBatch } from './registration-batch.ts'
import { lockDevices, wantedToDelete } from './registration-lock.ts'
import { tokenHash } from './token-hash.ts'

/** A token, and the apps where it may stand. */
export interface DeviceName {
  appNos: readonly number[]
  token: string
}

/** The apps among these that know a token, and whether it is a tombstone there. */
export async function appsWithToken(
  sql: Sql,
  { appNos, token }: DeviceName,
): Promise<{ appNo: number; isDeleted: boolean }[]> {
  const { rows } = await sql.query<{ appNo: number; isDeleted: boolean }>({
    name: 'apps-with-token',
    text: `select app_no as "appNo", deleted_at is not null as "isDeleted"
           from devices where app_no = any($1) and token_hash = $2 order by app_no`,
    values: [appNos, tokenHash(token)],
  })
  return rows
}

/** The device with this token, or null. */
export async function findDevice(
  sql: Sql,
  { appNo, token }: { appNo: number; token: string },
): Promise<Device | null> {
  const { rows } = await sql.query<Device>({
    name: 'find-device',
    text: `select ${deviceColumns}
           from devices d left join people p on p.person_no = d.person_no
           where d.app_no = $1 and d.token_hash = $2 and d.deleted_at is null`,
    values: [appNo, tokenHash(token)],
  })
  return rows[0] ?? null
}

/** A device, and who may read it beside those who may read all. */
export interface ReadableDevice {
  device: Device
  /** SHA-256 of its installation's secret; null: none was told. */
  readerHash: Buffer | null
}

/** The device with this token for one who has to show a right to it, or null. */
export async function findReadableDevice(
  sql: Sql,
  { appNo, token }: { appNo: number; token: string },
): Promise<ReadableDevice | null> {
  const { rows } = await sql.query<Device & { readerHash: Buffer | null }>({
    name: 'find-readable-device',
    text: `select ${deviceColumns}, d.reader_hash as "readerHash"
           from devices d left join people p on p.person_no = d.person_no
           where d.app_no = $1 and d.token_hash = $2 and d.deleted_at is null`,
    values: [appNo, tokenHash(token)],
  })
  const [row] = rows
  if (!row) return null
  const { readerHash, ...device } = row
  return { device, readerHash }
}

/** A change of one device that is ordered by its client's time (R1), in ms; null is now. */
export interface DeviceChange {
  appNo: number
  token: string
  at: number | null
}

/** A change that unties a device. */
export interface Untying extends DeviceChange {
  /** Only if it is tied to this person; null: to any. */
  personId: string | null
  /** What the caller has shown beside its key; nothing, if left out. */
  proof?: CallerProof
  /** SHA-256, in hex, of the installation's secret that the call shows. */
  shownHash?: string | null
}

interface ChangedRow extends Device {
  applied: boolean
}

// `$3` is the client's time. What a statement locks it sees in its newest version.
const isInTime = `coalesce(to_timestamp($3::float8 / 1000) >= d.ordered_at, true)`

// The rule is `mayTakeFrom`; what a stranger unties keeps no attributes, as in `decideRegistration`. A tombstone
// counts the call for the order too: an older registration must not revive it.
const untieText = `
  with met as materialized (
    select d.*, $5::boolean or coalesce(d.reader_hash = decode($6, 'hex'), false)
             or exists (select from people p where p.person_no = d.person_no and p.id = any($7::text[]))
             as is_known
    from devices d
    where d.app_no = $1 and d.token_hash = $2
    for no key update of d
  ), found as materialized (
    select d.*, ${isInTime} and (d.reader_hash is null or d.is_known)
             and ($4::text is null or d.person_no is null or exists (
               select from people p where p.person_no = d.person_no and p.id = $4)) as applies
    from met d
  ), changed as (
    update devices d
    set person_no = null,
        attributes = case when f.is_known or f.person_no is null then d.attributes else '{}' end,
        ordered_at = greatest(d.ordered_at, ${orderedAt('$3::float8')})
    from found f
    where d.app_no = f.app_no and d.device_no = f.device_no and f.applies
    returning d.*
  ), told as (
    insert into device_events (device_no, kind, person_no)
    select device_no, 'untied', person_no from found where applies and person_no is not null
  )
  select true as applied, ${deviceColumns}
  from changed d left join people p using (person_no)
  where d.deleted_at is null
  union all
  select false, ${deviceColumns}
  from found d left join people p using (person_no)
  where not d.applies and d.deleted_at is null`

/**
 * Unties a device from its person; with `personId`, only if it is tied to that one. Counts for the
 * order also where there is nothing to untie, so that an older tie does not come back.
 */
export async function untieDevice(
  sql: Sql,
  { appNo, token, at, personId, proof = noProof, shownHash = null }: Untying,
): Promise<DeviceChanged> {
  const { rows } = await sql.query<ChangedRow>({
    name: 'untie-device',
    text: untieText,
    values: [appNo, tokenHash(token), at, personId, proof.isSecretKey, shownHash, proof.personIds],
  })
  return changedOf(rows)
}

/**
 * Deletes a device; with `personId`, only if it is that person's. It stays as a tombstone, so that
 * a late registration does not bring it back. The answer has it as it was.
 */
export async function deleteDevice(database: Database, call: Deletion): Promise<DeviceChanged> {
  return withRaces(() =>
    inTransaction(database, async (sql) => {
      const wanted = wantedToDelete(call)
      const batch = openBatch(await lockDevices(sql, [wanted]))
      const result = applyDeletion(batch, call, wanted)
      await writeBatch(sql, batch)
      return result
    }),
  )
}

function changedOf(rows: ChangedRow[]): DeviceChanged {
  const [row] = rows
  if (!row) return { kind: 'unknown' }
  const { applied, ...device } = row
  return { kind: 'found', applied, device }
}
