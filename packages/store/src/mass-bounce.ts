import type { Provider, RecentVerdicts } from '@pushkeep/domain'
import { type CountedRecently, inPeople, isOfPeople } from './bounce-verdicts.ts'
import { type Database, inTransaction, type Sql } from './connect.ts'

/**
 * The guard trips: from here on no token of this app's provider is retired. Its lane goes on sending. Returns
 * false where it had tripped, or was told to stay quiet, already. `within`: the time that the verdicts are of.
 */
export async function tripGuard(
  sql: Sql,
  appNo: number,
  provider: Provider,
  reason: string,
  within: 'minute' | 'hour' = 'minute',
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `update app_providers
     set guarded_since = date_trunc('minute', now()) - $4::interval, guard_reason = $3
     where app_no = $1 and provider = $2 and guarded_since is null
       and (bounces_trusted_until is null or bounces_trusted_until < now())`,
    [appNo, provider, reason, within === 'minute' ? '1 minute' : '1 hour'],
  )
  return rowCount === 1
}

/** What an app's provider said lately; null where the guard does not watch it. */
export async function recentVerdicts(
  sql: Sql,
  appNo: number,
  provider: Provider,
): Promise<RecentVerdicts | null> {
  const { rows } = await sql.query<CountedRecently>(
    `select ap.usual_dead_share as "usualShare",
            json_build_object('judged', coalesce(sum(judged) filter (where is_now), 0),
                              'dead', coalesce(sum(dead) filter (where is_now), 0),
                              'accepted', bit_or(accepted) filter (where is_now)) as minute,
            json_build_object('judged', coalesce(sum(judged), 0),
                              'dead', coalesce(sum(dead), 0),
                              'accepted', bit_or(accepted)) as hour
     from app_providers ap
     left join lateral (
       select judged, dead, accepted, minute >= date_trunc('minute', now()) as is_now
       from bounce_minutes b
       where app_no = $1 and provider = $2 and ${isOfPeople('b')}
         and minute > date_trunc('minute', now()) - interval '1 hour') m on true
     where ap.app_no = $1 and ap.provider = $2 and ap.guarded_since is null
       and (ap.bounces_trusted_until is null or ap.bounces_trusted_until < now())
     group by ap.usual_dead_share`,
    [appNo, provider],
  )
  const [row] = rows
  return row ? inPeople(row) : null
}

export interface Resumed {
  /** Tokens that were retired in doubt and are live again. */
  restored: number
}

/**
 * Lets a paused lane go on: makes its waiting chunks due, and has workers close their breakers. null where the
 * app has no such provider. What the mass-bounce guard doubts stays as it is (`decideBounces`).
 */
export async function openLane(sql: Sql, appNo: number, provider: Provider): Promise<boolean> {
  const { rowCount } = await sql.query(
    `with resumed as (
       update app_providers
       set paused_at = null, pause_reason = null, pause_cause = null, doubted_since = null,
           resumes = resumes + 1
       where app_no = $1 and provider = $2
       returning app_no
     ), due as (
       -- Chunks that an open breaker handed back go now. A refused delivery keeps its own time.
       update chunks c
       set rescue_at = now(),
           due_at = case when c.is_retry and not exists (
                           select from deliveries dl
                           where dl.message_no = c.message_no and dl.device_no = any(c.device_nos)
                             and dl.status = 0 and dl.at <= now()) then c.due_at
                         else least(c.due_at, now()) end
       from resumed b
       where c.app_no = $1 and c.provider = $2 and c.state = 'ready'
     )
     select from resumed`,
    [appNo, provider],
  )
  return rowCount === 1
}

/** A decision about tokens that were retired within a time. Times in ms since the epoch. */
export interface BounceDecision {
  appNo: number
  provider: Provider
  /** `keep` believes the provider, `undo` makes each token as it was. */
  decision: 'keep' | 'undo'
  /** From when on; null: since when the guard doubts, and where it has not tripped nothing. */
  from: number | null
  /** Until when; null: now. */
  to: number | null
}

/** Devices that are looked at by one statement. */
const sliceSize = 20_000

/**
 * Decides about tokens that were retired, whether or not the guard has tripped. `keep` leaves them, ends the
 * guard and keeps it quiet for an hour. `undo` makes each token that was retired within the time as it was, by
 * the timeline, unless it has registered again since, and forgets that these people were found dead; it ends a
 * guard only where it covers all that the guard doubts. It goes slice by slice over the app's devices, each in a
 * transaction of its own: run again it goes on. null where the app has no such provider.
 */
export async function decideBounces(
  database: Database,
  { appNo, provider, decision, from, to }: BounceDecision,
): Promise<Resumed | null> {
  const { rows } = await database.query<{ guardedSince: number | null }>(
    `select extract(epoch from guarded_since)::float8 * 1000 as "guardedSince"
     from app_providers where app_no = $1 and provider = $2`,
    [appNo, provider],
  )
  const [lane] = rows
  if (!lane) return null
  if (decision === 'keep') {
    await endGuard(database, appNo, provider, 'keep')
    return { restored: 0 }
  }
  const { guardedSince } = lane
  const first = from ?? guardedSince
  if (first === null) return { restored: 0 }
  const range = { appNo, provider, from: first, to }
  const restored = await restoreTokens(database, range)
  await inTransaction(database, async (sql) => {
    await forgetBounces(sql, range)
    const coversDoubt = guardedSince !== null && first <= guardedSince && to === null
    if (coversDoubt) await endGuard(sql, appNo, provider, 'undo')
  })
  return { restored }
}

/** Times in ms since the epoch, both included; `to` null: until now. */
interface BounceRange {
  appNo: number
  provider: Provider
  from: number
  to: number | null
}

async function restoreTokens(
  database: Database,
  { appNo, provider, from, to }: BounceRange,
): Promise<number> {
  let restored = 0
  let after = '0'
  for (;;) {
    const { rows } = await database.query<{ last: string | null; restored: number }>(
      `with slice as materialized (
         select device_no, provider, dead_at from devices
         where app_no = $1 and device_no > $5 order by device_no limit ${sliceSize}
       ), doubtful as materialized (
         select s.device_no, s.dead_at, e.detail ->> 'before' as before
         from slice s
         join device_events e on e.device_no = s.device_no and e.at = s.dead_at and e.kind = 'bounced'
         where s.provider = $2 and s.dead_at between to_timestamp($3::float8 / 1000)
                                                  and coalesce(to_timestamp($4::float8 / 1000), 'infinity')
           and e.detail ->> 'token_retired' = 'true'
       ), restored as (
         update devices d
         set dead_at = null, dead_reason = null, last_status = x.before
         from doubtful x
         where d.app_no = $1 and d.device_no = x.device_no and d.dead_at = x.dead_at
         returning d.device_no
       ), told as (
         insert into device_events (device_no, kind) select device_no, 'restored' from restored
       )
       select (select max(device_no)::text from slice) as last,
              (select count(*)::int from restored) as restored`,
      [appNo, provider, from, to, after],
    )
    const [row] = rows
    restored += row?.restored ?? 0
    if (!row || row.last === null) return restored
    after = row.last
  }
}

async function endGuard(
  sql: Sql,
  appNo: number,
  provider: Provider,
  decision: 'keep' | 'undo',
): Promise<void> {
  await sql.query(
    `update app_providers
     set bounces_trusted_until = case when guarded_since is not null and $3 = 'keep'
                                      then now() + interval '1 hour' else bounces_trusted_until end,
         guarded_since = null, guard_reason = null
     where app_no = $1 and provider = $2`,
    [appNo, provider, decision],
  )
}

/**
 * Dead verdicts that were none would trip the guard again. Those that were accepted stay counted, and so does
 * when that was: pausing a lane depends on it.
 */
async function forgetBounces(sql: Sql, { appNo, provider, from, to }: BounceRange): Promise<void> {
  const range = [appNo, provider, from, to]
  await sql.query(
    `update bounce_minutes set judged = judged - dead, counted = greatest(0, counted - dead), dead = 0
     where app_no = $1 and provider = $2 and dead > 0
       and minute between date_trunc('minute', to_timestamp($3::float8 / 1000))
                      and coalesce(to_timestamp($4::float8 / 1000), 'infinity')`,
    range,
  )
  await sql.query(
    `delete from bounced_people
     where app_no = $1 and provider = $2
       and at between to_timestamp($3::float8 / 1000)
                  and coalesce(to_timestamp($4::float8 / 1000), 'infinity')`,
    range,
  )
}

/** Fewer verdicts than these a week say nothing about what is usual. */
const usualJudgedMin = 1000

/**
 * Works out what share of dead verdicts is usual for each app's provider, from the week before the
 * last two minutes, and forgets older minutes. It is a share of pushes, which is at most that of people.
 */
export async function updateUsualShares(sql: Sql): Promise<void> {
  await sql.query(`delete from bounce_minutes where minute < now() - interval '7 days'`)
  await sql.query(
    `update bounce_minutes set accepted = null
     where accepted is not null and minute < now() - interval '2 hours'`,
  )
  await sql.query(`delete from bounced_people where at < now() - interval '1 hour'`)
  await sql.query(
    `update app_providers p
     set usual_dead_share = case when b.judged >= ${usualJudgedMin} then b.dead / b.judged end
     from (select app_no, provider, sum(judged)::real as judged, sum(dead)::real as dead
           from bounce_minutes where minute < date_trunc('minute', now()) - interval '1 minute'
           group by app_no, provider) b
     where p.app_no = b.app_no and p.provider = b.provider and p.guarded_since is null`,
  )
}
