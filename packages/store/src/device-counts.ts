import { type Environment, failuresMax, type Platform } from '@pushkeep/domain'
import { type Database, inTransaction, type Sql } from './connect.ts'

/** Devices of an app, by what stands against a push at this moment. */
export interface DeviceCount {
  appNo: number
  platform: Platform
  /** null: not known yet. */
  environment: Environment | null
  /** Nothing stands against it. */
  reachable: number
  /** Their person is suppressed. */
  suppressed: number
  dead: number
  pushDisabled: number
  failing: number
}

export interface DeviceCounts {
  countedAt: Date
  /** Extrapolated from a part of the table. */
  isEstimate: boolean
  counts: DeviceCount[]
}

/** Pages of 8 KB (a million devices and more) up to which all of the table is read. */
const pagesMax = 50_000

// The same order of reasons as where a push is withheld (chunks.ts). `environment` of an Android
// device is none.
const countText = (sample: string, share: number) => `
  insert into device_counts (app_no, platform, environment, reachable, suppressed, dead,
                             push_disabled, failing)
  select app_no, platform, coalesce(environment, ''),
         round(count(*) filter (where standing = 'reachable') / ${share}),
         round(count(*) filter (where standing = 'suppressed') / ${share}),
         round(count(*) filter (where standing = 'dead') / ${share}),
         round(count(*) filter (where standing = 'push_disabled') / ${share}),
         round(count(*) filter (where standing = 'failing') / ${share})
  from (
    select d.app_no, d.platform, d.environment,
           case when p.person_no is not null then 'suppressed'
                when d.dead_at is not null then 'dead'
                when not d.push_permission then 'push_disabled'
                when d.failures >= ${failuresMax} then 'failing'
                else 'reachable' end as standing
    from devices d ${sample}
    left join people p on p.person_no = d.person_no and p.suppressed_at is not null
    where d.deleted_at is null
  ) s
  group by app_no, platform, coalesce(environment, '')`

/**
 * Counts all devices anew and returns how long it took, in ms. It reads the whole table, or as much
 * of a large one as makes a good estimate, so that its cost is bounded whatever the number.
 */
export async function countDevices(database: Database): Promise<number> {
  return inTransaction(database, async (sql) => {
    // The one statement of ours that is to scan a table.
    await sql.query('set local enable_seqscan = on')
    const { rows } = await sql.query<{ pages: number }>(
      `select (pg_relation_size('devices') / current_setting('block_size')::int)::float8 as pages`,
    )
    const share = Math.min(1, pagesMax / Math.max(1, rows[0]?.pages ?? 0))
    const sample = share < 1 ? `tablesample system (${share * 100})` : ''
    const began = performance.now()
    await sql.query('delete from device_counts')
    await sql.query(countText(sample, share))
    const took = Math.round(performance.now() - began)
    await sql.query(
      `insert into device_counts_state (counted_at, took_ms, is_estimate) values (now(), $1, $2)
       on conflict (is_only) do update
       set counted_at = excluded.counted_at, took_ms = excluded.took_ms,
           is_estimate = excluded.is_estimate`,
      [took, share < 1],
    )
    return took
  })
}

/** When devices were last counted and how long that took; null: never. */
export async function lastDeviceCount(
  sql: Sql,
): Promise<{ ageSeconds: number; tookMs: number } | null> {
  const { rows } = await sql.query<{ ageSeconds: number; tookMs: number }>(
    `select extract(epoch from now() - counted_at)::float8 as "ageSeconds", took_ms as "tookMs"
     from device_counts_state`,
  )
  return rows[0] ?? null
}

/** The last count, of these apps; null where nothing was counted yet. */
export async function deviceCounts(
  sql: Sql,
  appNos: readonly number[],
): Promise<DeviceCounts | null> {
  const { rows } = await sql.query<{
    countedAt: Date
    isEstimate: boolean
    counts: DeviceCount[] | null
  }>({
    name: 'device-counts',
    text: `
      select s.counted_at as "countedAt", s.is_estimate as "isEstimate", (
        select json_agg(json_build_object(
          'appNo', app_no, 'platform', platform, 'environment', nullif(environment, ''),
          'reachable', reachable, 'suppressed', suppressed, 'dead', dead,
          'pushDisabled', push_disabled, 'failing', failing)
          order by app_no, platform, environment)
        from device_counts where app_no = any($1)) as counts
      from device_counts_state s`,
    values: [appNos],
  })
  const [row] = rows
  return row ? { ...row, counts: row.counts ?? [] } : null
}
