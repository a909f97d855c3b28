import type { Sql } from './connect.ts'

/** The PostgreSQL server behind a connection. */
export interface ServerState {
  /** As people read it, such as `18.1`. */
  version: string
  majorVersion: number
  /** A standby, which takes no writes. */
  isReplica: boolean
  /** Connections of clients, all programs' together, and how many an ordinary role may have. */
  connections: { used: number; max: number }
  /** The server's clock, ms since the epoch. */
  now: number
}

/** Asks the server about itself. Needs no rights of its own, and no tables of ours. */
export async function serverState(sql: Sql): Promise<ServerState> {
  const { rows } = await sql.query<ServerState>(
    `select split_part(current_setting('server_version'), ' ', 1) as version,
            current_setting('server_version_num')::int / 10000 as "majorVersion",
            pg_is_in_recovery() as "isReplica",
            json_build_object(
              'used', (select count(*) from pg_stat_activity where backend_type = 'client backend'),
              'max', current_setting('max_connections')::int
                     - current_setting('superuser_reserved_connections')::int
                     - coalesce(current_setting('reserved_connections', true)::int, 0)
            ) as connections,
            extract(epoch from clock_timestamp())::float8 * 1000 as now`,
  )
  const [row] = rows
  if (!row) throw new Error('a statement that returns a row returned none')
  return row
}
