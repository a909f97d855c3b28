import type { Sql } from '../connect.ts'
import { nowMs, tombstone } from '../device-rows.ts'
import { redirectErasures } from './requests.ts'

/** A person who is erased, locked by the transaction that does it. */
export interface ErasedPerson {
  workspaceNo: number
  id: string
  /** null: they were not known. */
  personNo: string | null
}

interface ErasedDevice {
  appNo: number
  deviceNo: string
  tokenHash: string
}

// Theirs, or theirs last and of nobody now. `d` is judged again once it is locked: it may have moved meanwhile.
const eraseDevicesText = `
  with own as materialized (
    select app_no, device_no from devices where person_no = $1
    union
    select f.app_no, f.device_no from former_devices f
    where f.person_no = $1 and not exists (
      select from former_devices o
      where o.device_no = f.device_no and o.person_no <> $1 and o.at > f.at)
  ), found as materialized (
    select d.app_no, d.device_no, d.token_hash, d.deleted_at is not null as is_deleted
    from own join devices d using (app_no, device_no)
    where d.person_no = $1 or d.person_no is null
    order by d.app_no, d.device_no for no key update of d
  ), changed as (
    update devices d set ${tombstone}, ordered_at = greatest(d.ordered_at, ${nowMs})
    from found f where d.app_no = f.app_no and d.device_no = f.device_no and not f.is_deleted
  ), told as (
    insert into device_events (device_no, kind, person_no)
    select device_no, 'deleted', $1 from found where not is_deleted
  )
  select app_no as "appNo", device_no::text as "deviceNo", token_hash as "tokenHash" from found`

/**
 * Erases what hangs on a person: devices, which stay as tombstones, events and anonymous ids. What messages
 * hold of them is written down as an erasure, which workers do (`eraseSlice`).
 */
export async function eraseBelongings(sql: Sql, person: ErasedPerson): Promise<void> {
  const { workspaceNo, id, personNo } = person
  const devices = personNo === null ? [] : await eraseDevices(sql, personNo)
  if (personNo !== null) await eraseEvents(sql, personNo)
  await redirectErasures(sql, { workspaceNo, from: id, to: null })
  // Last: its time divides the messages that are about them from those that come later.
  await sql.query(
    `insert into erasures (workspace_no, person_no, person_hash, token_hashes, app_nos, device_nos)
     values ($1, $2, name_hash($3), $4, $5, $6)`,
    [
      workspaceNo,
      personNo,
      id,
      devices.map(({ tokenHash }) => tokenHash),
      devices.map(({ appNo }) => appNo),
      devices.map(({ deviceNo }) => deviceNo),
    ],
  )
}

async function eraseDevices(sql: Sql, personNo: string): Promise<ErasedDevice[]> {
  const { rows } = await sql.query<ErasedDevice>({
    name: 'erase-devices',
    text: eraseDevicesText,
    values: [personNo],
  })
  await sql.query('delete from former_devices where person_no = $1', [personNo])
  return rows
}

// Anonymous ids first: who writes events under one holds it.
async function eraseEvents(sql: Sql, personNo: string): Promise<void> {
  await sql.query(
    `with known as (
       delete from anonymous_ids where person_no = $1 returning workspace_no, anonymous_id
     )
     delete from person_events e using known k
     where e.workspace_no = k.workspace_no and e.anonymous_id = k.anonymous_id
       and e.person_no is null`,
    [personNo],
  )
  await sql.query('delete from person_events where person_no = $1', [personNo])
}
