import type { Rate } from '@pushkeep/domain'
import { listOf } from './array-literal.ts'
import type { Sql } from './connect.ts'

/** What a process spent of a bucket; `key`: a UUID without dashes. */
export interface BucketSpending {
  key: string
  rate: Rate
  spent: number
}

// A bucket comes with its whole burst, less what is spent. In one order, so that two processes never wait
// for one another in a circle.
const settleText = `
  insert into rate_buckets as b (bucket, per_second, burst, level, at)
  select bucket, per_second, burst, burst - spent, statement_timestamp()
  from (
    select unnest($1::uuid[]) as bucket, unnest($2::float8[]) as per_second,
           unnest($3::float8[]) as burst, unnest($4::float8[]) as spent) g
  order by bucket
  on conflict (bucket) do update
  set per_second = excluded.per_second, burst = excluded.burst,
      level = least(
        excluded.burst,
        b.level + greatest(0, extract(epoch from excluded.at - b.at)) * excluded.per_second
      ) - (excluded.burst - excluded.level),
      at = greatest(b.at, excluded.at)
  returning replace(bucket::text, '-', '') as key, level`

/** Adds what was spent to the buckets that all processes share; the level of each after it. */
export async function settleBuckets(
  sql: Sql,
  spending: readonly BucketSpending[],
): Promise<number[]> {
  const { rows } = await sql.query<{ key: string; level: number }>({
    name: 'settle-buckets',
    text: settleText,
    values: [
      listOf(spending, ({ key }) => key),
      listOf(spending, ({ rate }) => rate.perSecond),
      listOf(spending, ({ rate }) => rate.burst),
      listOf(spending, ({ spent }) => spent),
    ],
  })
  const levels = new Map(rows.map(({ key, level }) => [key, level]))
  return spending.map(({ key, rate }) => levels.get(key) ?? rate.burst)
}

/** Removes buckets that are full again, at most 10,000: they say nothing. Returns how many. */
export async function removeFullBuckets(sql: Sql): Promise<number> {
  const { rowCount } = await sql.query(
    `delete from rate_buckets where ctid = any(array(
       select ctid from rate_buckets
       where level + extract(epoch from now() - at) * per_second >= burst limit 10000))`,
  )
  return rowCount ?? 0
}
