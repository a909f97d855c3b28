import type { Database } from '@pushkeep/store'

export interface TableSize {
  live: number
  dead: number
  mb: number
}

const watched = [
  'people',
  'devices',
  'device_events',
  'messages',
  'message_counts',
  'chunks',
  'outbox',
  'deliveries',
  'idempotency_keys',
  'queues',
]

/** Rows, dead rows and megabytes of the main tables; partitions together, the queues' own as one. */
export async function readTables(database: Database): Promise<Record<string, TableSize>> {
  const { rows } = await database.query<TableSize & { name: string }>(
    `select name, sum(n_live_tup)::float8 as live, sum(n_dead_tup)::float8 as dead,
            round(sum(pg_total_relation_size(relid)) / 1048576.0, 1)::float8 as mb
     from (
       select case when schemaname <> 'public' then 'queues'
                   else regexp_replace(relname, '_(\\d+|default)$', '') end as name, *
       from pg_stat_user_tables
     ) t
     group by name`,
  )
  return Object.fromEntries(
    rows
      .filter(({ name }) => watched.includes(name))
      .map(({ name, live, dead, mb }) => [name, { live, dead, mb }]),
  )
}

export interface Backlog {
  /** Chunks that are not done. */
  chunks: number
  doorbells: number
  /** Age of the oldest doorbell that is due, in seconds. */
  lagSeconds: number
}

/** What waits to be done. */
export async function readBacklog(database: Database): Promise<Backlog> {
  const { rows } = await database.query<Backlog>(
    `select (select count(*)::int from chunks where state <> 'done') as chunks,
            (select count(*)::int from outbox) as doorbells,
            (select coalesce(extract(epoch from now() - min(due_at)), 0)::float8
             from outbox where due_at <= now()) as "lagSeconds"`,
  )
  const [backlog] = rows
  if (!backlog) throw new Error('the database says nothing of its backlog')
  return { ...backlog, lagSeconds: Math.round(backlog.lagSeconds * 100) / 100 }
}
