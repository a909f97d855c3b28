import { setTimeout as wait } from 'node:timers/promises'
import { type Database, eraseSlice } from '@pushkeep/store'

const tables = [
  'workspaces',
  'apps',
  'app_providers',
  'api_keys',
  'people',
  'person_events',
  'anonymous_ids',
  'client_messages',
  'devices',
  'device_events',
  'receipts',
  'early_receipts',
  'messages',
  'message_counts',
  'chunks',
  'outbox',
  'idempotency_keys',
  'deliveries',
] as const

/** Rows of each table and a checksum over all of them, whatever their order. */
export type Stored = Record<string, string>

const question = tables
  .map(
    (table) =>
      `select '${table}' as name, count(*) || ':' ||
              coalesce(sum(hashtextextended(t::text, 0)), 0) as rows from ${table} t`,
  )
  .join(' union all ')

/** All that is stored, in so few words that it can be compared. */
export async function readStored(database: Database): Promise<Stored> {
  const { rows } = await database.query<{ name: string; rows: string }>(question)
  return Object.fromEntries(rows.map(({ name, rows: sum }) => [name, sum]))
}

/** Names of the tables that differ. */
export function changedTables(before: Stored, after: Stored): string[] {
  return tables.filter((table) => before[table] !== after[table])
}

interface Open {
  doorbells: number
  chunks: number
  unplanned: number
  unbalanced: number
  erasures: number
}

/** Runs both rounds of each erasure now: no transaction is open that the second round has to wait for. */
async function finishErasures(database: Database): Promise<void> {
  for (const _round of [1, 2]) {
    await database.query('update erasures set due_at = now() where finished_at is null')
    while (await eraseSlice(database));
  }
}

/**
 * Waits until the workers have nothing left to do, so that whatever is written after that was
 * written by a request. Says in words what is still open at the deadline; null where nothing is.
 */
export async function settle(database: Database, timeoutMs: number): Promise<string | null> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    await finishErasures(database)
    const { rows } = await database.query<Open>(
      `select (select count(*)::int from outbox) as doorbells,
              (select count(*)::int from chunks where state <> 'done') as chunks,
              (select count(*)::int from messages where planned_at is null) as unplanned,
              (select count(*)::int from message_counts
               where recipients <> sent + bounced + suppressed + failed + expired) as unbalanced,
              (select count(*)::int from erasures where finished_at is null) as erasures`,
    )
    const open = Object.entries(rows[0] ?? {}).filter(([, count]) => count > 0)
    if (open.length === 0) return null
    if (performance.now() > deadline) return open.map(([name, n]) => `${n} ${name}`).join(', ')
    await wait(20)
  }
}
