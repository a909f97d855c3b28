import pg from 'pg'
import { queryScoped } from './scoped-query.ts'
import { settingOf, workspacesNow, workspacesSetting } from './tenancy.ts'

/** A pool or a transaction: every store function takes one first, and runs on either. */
export interface Sql {
  query<Row extends pg.QueryResultRow>(
    query: pg.QueryConfig | string,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>
}

/**
 * Session settings where every query goes by an index. A named statement that was planned while a
 * table was tiny would go on scanning it as it grows (docs/decisions/0023); compiling takes longer
 * than any statement of ours, and planning one anew for each call takes longer than running it.
 */
export const indexedSettings = {
  enable_seqscan: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
}

/** A pool of connections. Its queries, and transactions on it, are for the workspaces of `inWorkspaces`. */
export type Database = pg.Pool

export interface DatabaseOptions {
  url: string
  /** Shown in `pg_stat_activity`. */
  name: string
  connectionsMax?: number
  /** Longest wait for a connection before a call fails, in milliseconds. */
  connectTimeoutMs?: number
  onError?: (error: Error) => void
  /** Run-time settings of each session. */
  settings?: Record<string, string>
}

/**
 * Opens a pool. An idle connection that breaks (a restart of PostgreSQL) is reported and replaced,
 * never thrown.
 */
export function connect(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.name,
    max: options.connectionsMax ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 30_000,
    options: Object.entries(options.settings ?? {})
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  })
  pool.on('error', (error) => options.onError?.(error))
  // The pool listens to idle connections alone: one that breaks between two statements of a
  // transaction would end the process. Its next statement fails, and that is enough.
  pool.on('connect', (client) => client.on('error', () => {}))
  scopeQueries(pool)
  return pool
}

/** Makes the pool's queries say for which workspaces they are. */
function scopeQueries(pool: pg.Pool): void {
  const plain = pool.query.bind(pool)
  const query = async (config: pg.QueryConfig | string, values?: unknown[]) => {
    const workspaceNos = workspacesNow()
    if (workspaceNos === null) return plain(config, values)
    const client = await pool.connect()
    try {
      return await queryScoped(client, workspaceNos, config, values)
    } finally {
      // A connection that broke is not queryable, and the pool drops it.
      client.release()
    }
  }
  Object.defineProperty(pool, 'query', { value: query, configurable: true })
}

/** Runs `work` in one transaction: all of it is committed, or none. */
export async function inTransaction<T>(
  database: Database,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  const client = await database.connect()
  let broken: Error | undefined
  try {
    await client.query(beginText())
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** Begins a transaction for the workspaces of this work, in one round trip. */
function beginText(): string {
  const workspaceNos = workspacesNow()
  return workspaceNos === null
    ? 'begin'
    : `begin; select set_config('${workspacesSetting}', '${settingOf(workspaceNos)}', true)`
}

// deadlock_detected, serialization_failure: PostgreSQL asks for another try. foreign_key_violation,
// unique_violation: a row went or came while the statement ran; a new try finds that out.
const repeatable = new Set(['40P01', '40001', '23503', '23505'])

/** Whether a statement that failed changed nothing and may succeed when it is run again. */
export function isRepeatable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && repeatable.has(error.code ?? '')
}

/** Runs `work` again where PostgreSQL asks for it, `triesMax` times at most. */
export async function withRepeat<T>(work: () => Promise<T>, triesMax = 5): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= triesMax || !isRepeatable(error)) throw error
    }
  }
}

// Connection failures and the server's own words for "not now".
const unavailableCodes = new Set([
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08000',
  '08003',
  '08006',
  '25006',
  // A session of ours was ended for having stood still: the process had been paused.
  '25P03',
  '57P05',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
])

// What the driver says of a connection that broke, without a code.
const unavailableMessages =
  /Connection terminated|not queryable|timeout exceeded when trying to connect|Client was closed/

/** Whether an error says that the database cannot be reached now: an answer 503, not 500. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (unavailableCodes.has(code)) return true
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable)
  return unavailableMessages.test(error.message)
}
