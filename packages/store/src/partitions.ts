import type { Sql } from './connect.ts'

export const dayMs = 86_400_000
export const weekMs = 7 * dayMs

/** Tables with partitions: by day of their messages, by month, or by week. */
type Parent = 'deliveries' | 'receipts' | 'device_events' | 'person_events' | 'client_messages'

/**
 * Creates the partitions of deliveries and receipts (by day), of events of devices and people (by
 * month) and of clients' message ids (by week) that today and the next days need; what has no
 * partition lands in the default one and is never refused. `now` in ms.
 */
export async function createPartitions(sql: Sql, now: number, daysAhead = 3): Promise<void> {
  for (let day = 0; day <= daysAhead; day += 1) {
    const from = new Date(Math.floor(now / dayMs) * dayMs + day * dayMs)
    const to = new Date(from.getTime() + dayMs)
    await createPartition(sql, 'deliveries', nameOf(from, 10), from, to)
    await createPartition(sql, 'receipts', nameOf(from, 10), from, to)
  }
  const today = new Date(now)
  for (const ahead of [0, 1]) {
    const from = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + ahead, 1))
    const to = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + ahead + 1, 1))
    await createPartition(sql, 'device_events', nameOf(from, 7), from, to)
    await createPartition(sql, 'person_events', nameOf(from, 7), from, to)
  }
  for (const ahead of [0, 1]) {
    const from = new Date(weekOf(now) + ahead * weekMs)
    const to = new Date(from.getTime() + weekMs)
    await createPartition(sql, 'client_messages', nameOf(from, 10), from, to)
  }
}

/** The Monday of a time's week, as PostgreSQL counts weeks. */
export function weekOf(now: number): number {
  const day = Math.floor(now / dayMs)
  // The epoch was a Thursday.
  return (day - ((day + 3) % 7)) * dayMs
}

function nameOf(from: Date, length: 7 | 10): string {
  return from.toISOString().slice(0, length).replaceAll('-', '')
}

// Rows that reached the default partition first keep a new one from being made there: then it is
// left, and the rows stay where they are. The function runs as the tables' owner (migration 0095).
async function createPartition(
  sql: Sql,
  parent: Parent,
  suffix: string,
  from: Date,
  to: Date,
): Promise<void> {
  await sql.query('select add_partition($1, $2, $3, $4)', [
    parent,
    suffix,
    from.toISOString(),
    to.toISOString(),
  ])
}

/**
 * Drops the partitions of which `isOver` says that nothing is needed any more, by the times that they
 * hold, or begin at where they are by the week; their names tell those. One that somebody reads just
 * now is left for the next time.
 */
export async function dropPartitions(
  sql: Sql,
  parent: Parent,
  isOver: (from: Date, to: Date) => boolean | Promise<boolean>,
): Promise<void> {
  const { rows } = await sql.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = $1::regclass and c.relname ~ '_\\d{6,8}$'`,
    [parent],
  )
  for (const { name } of rows) {
    if (!(await isOver(...timesOf(name)))) continue
    await sql.query('select drop_partition($1, $2)', [parent, name.slice(parent.length + 1)])
  }
}

/** From when to when: a day, or a month where the name ends with one. */
function timesOf(name: string): [from: Date, to: Date] {
  const digits = /\d+$/.exec(name)?.[0] ?? ''
  const [year, month] = [Number(digits.slice(0, 4)), Number(digits.slice(4, 6)) - 1]
  if (digits.length === 6) {
    return [new Date(Date.UTC(year, month, 1)), new Date(Date.UTC(year, month + 1, 1))]
  }
  const from = Date.UTC(year, month, Number(digits.slice(6)))
  return [new Date(from), new Date(from + dayMs)]
}
