import type { Sql } from './connect.ts'

/** The channel on which a new doorbell is announced. */
export const doorbellChannel = 'pushkeep_doorbell'

/** What the relay has to ring: a queue, and the number of the message or chunk that it is about. */
export interface Doorbell {
  queue: string
  ref: string
  /** Tells one ring of the same thing from the next. */
  ring: number
}

/**
 * Takes due doorbells away, oldest first. Call it in the transaction that also puts them into the
 * queue: where that fails the rows stay. Two relays never take the same row. Those of the queues in `except` stay.
 */
export async function takeDoorbells(
  sql: Sql,
  limit: number,
  except: readonly string[] = [],
): Promise<Doorbell[]> {
  const { rows } = await sql.query<Doorbell>({
    name: 'take-doorbells',
    text: `
      delete from outbox where outbox_no in (
        select outbox_no from outbox where due_at <= now() and queue <> all($2::text[])
        order by due_at, outbox_no limit $1 for update skip locked)
      returning queue, ref::text, ring`,
    values: [limit, except],
  })
  return rows
}

/** The `traceparent` of the messages that these doorbells are about, by their `ref`; where known. */
export async function traceparentsOf(
  sql: Sql,
  { messageNos, chunkNos }: { messageNos: readonly string[]; chunkNos: readonly string[] },
): Promise<{ messages: Map<string, string>; chunks: Map<string, string> }> {
  const { rows } = await sql.query<{ of: 'message' | 'chunk'; ref: string; traceparent: string }>({
    name: 'traceparents',
    text: `
      select 'message' as of, message_no::text as ref, traceparent
      from messages where message_no = any($1::bigint[]) and traceparent is not null
      union all
      select 'chunk', c.chunk_no::text, m.traceparent
      from chunks c join messages m using (message_no)
      where c.chunk_no = any($2::bigint[]) and m.traceparent is not null`,
    values: [messageNos, chunkNos],
  })
  const mapOf = (of: 'message' | 'chunk') =>
    new Map(rows.filter((row) => row.of === of).map((row) => [row.ref, row.traceparent]))
  return { messages: mapOf('message'), chunks: mapOf('chunk') }
}

/** How old the oldest due doorbell is, in seconds; 0 where none waits. */
export async function outboxLagSeconds(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ lag: number }>(
    `select coalesce(extract(epoch from now() - min(due_at)), 0)::float8 as lag
     from outbox where due_at <= now()`,
  )
  return rows[0]?.lag ?? 0
}
