import type { LastStatus } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import type { Item } from './new-registrations.ts'

/** How a device stood where it comes from. Times in ms since the epoch. */
export interface Standing {
  registeredAt: number | null
  lastStatus: LastStatus
  statusAt: number | null
  failures: number
  deadAt: number | null
  deadReason: string | null
}

/** A device of a batch of an import, with the number of its line. */
export interface DeviceItem extends Item {
  row: number
  standing: Standing | null
}

const seconds = (name: string) => `to_timestamp(s.${name} / 1000)`

// Only what was registered once and was not sent to yet. Never later than it is here: a notice of death
// counts if it is later than the registration (R2).
const restoreText = `
  update devices d
  set last_status = s.last_status, status_at = ${seconds('status_at')}, failures = s.failures,
      dead_at = ${seconds('dead_at')}, dead_reason = s.dead_reason,
      registered_at = least(d.registered_at, coalesce(${seconds('registered_at')}, d.registered_at))
  from json_to_recordset($1) as s(
    app_no int, token_hash uuid, last_status text, status_at float8, failures int, dead_at float8,
    dead_reason text, registered_at float8)
  where d.app_no = s.app_no and d.token_hash = s.token_hash and d.epoch = 1 and d.status_at is null`

/** Gives devices that were just registered for the first time the standing that they bring along. */
export async function restoreStandings(sql: Sql, items: readonly DeviceItem[]): Promise<void> {
  const brought = items.flatMap(({ standing, wanted }) => (standing ? [{ standing, wanted }] : []))
  if (brought.length === 0) return
  const rows = brought.map(({ standing, wanted }) => ({
    app_no: wanted.app_no,
    token_hash: wanted.token_hash,
    last_status: standing.lastStatus,
    status_at: standing.statusAt,
    failures: standing.failures,
    dead_at: standing.deadAt,
    dead_reason: standing.deadReason,
    registered_at: standing.registeredAt,
  }))
  await sql.query({
    name: 'restore-standings',
    text: restoreText,
    values: [JSON.stringify(rows)],
  })
}
