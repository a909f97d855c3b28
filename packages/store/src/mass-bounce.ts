import type { Provider } from '@pushkeep/domain'
import type { Sql } from './connect.ts'

/**
 * The guard trips: from here on no token of this app's provider is retired, and its lane is paused
 * with a reason. Returns false where it had tripped, or was told to stay quiet, already.
 */
export async function tripGuard(
  sql: Sql,
  appNo: number,
  provider: Provider,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `update app_providers
     set guarded_since = date_trunc('minute', now()) - interval '1 minute',
         paused_at = now(), pause_reason = $3
     where app_no = $1 and provider = $2 and guarded_since is null
       and (bounces_trusted_until is null or bounces_trusted_until < now())`,
    [appNo, provider, reason],
  )
  return rowCount === 1
}

export interface Resumed {
  /** Tokens that were retired in doubt and are live again. */
  restored: number
}

/**
 * Lets a paused lane go on and makes its waiting chunks due. Where the guard had paused it, `bounces`
 * decides about the tokens retired since a minute before: `keep` believes the provider (and keeps
 * the guard quiet for an hour), `undo` makes each of them as it was, by the timeline, unless it has
 * registered again since, and forgets those minutes: verdicts that were none would trip the guard
 * again. null where the app has no such provider.
 */
export async function resumeProvider(
  sql: Sql,
  appNo: number,
  provider: Provider,
  bounces: 'keep' | 'undo' = 'keep',
): Promise<Resumed | null> {
  const { rows } = await sql.query<Resumed>(
    `with before as materialized (
       select guarded_since from app_providers
       where app_no = $1 and provider = $2 for update
     ), doubtful as materialized (
       select distinct on (e.device_no) e.device_no, e.at, e.detail ->> 'before' as before
       from before b
       join device_events e on e.at >= b.guarded_since and e.kind = 'bounced'
       where $3 = 'undo' and e.detail ->> 'token_retired' = 'true'
       order by e.device_no, e.at desc
     ), restored as (
       update devices d
       set dead_at = null, dead_reason = null, last_status = x.before
       from doubtful x
       where d.app_no = $1 and d.provider = $2 and d.device_no = x.device_no and d.dead_at = x.at
       returning d.device_no
     ), told as (
       insert into device_events (device_no, kind) select device_no, 'restored' from restored
     ), resumed as (
       update app_providers p
       set paused_at = null, pause_reason = null, pause_cause = null, doubted_since = null,
           guarded_since = null, resumes = p.resumes + 1,
           bounces_trusted_until = case
             when b.guarded_since is not null and $3 = 'keep' then now() + interval '1 hour'
             else p.bounces_trusted_until end
       from before b
       where p.app_no = $1 and p.provider = $2
     ), unsaid as (
       delete from bounce_minutes m using before b
       where m.app_no = $1 and m.provider = $2 and $3 = 'undo' and m.minute >= b.guarded_since
     ), due as (
       -- Chunks that an open breaker handed back go now. A refused delivery keeps its own time.
       update chunks c
       set rescue_at = now(),
           due_at = case when c.is_retry and not exists (
                           select from deliveries dl
                           where dl.message_no = c.message_no and dl.device_no = any(c.device_nos)
                             and dl.status = 0 and dl.at <= now()) then c.due_at
                         else least(c.due_at, now()) end
       from before b
       where c.app_no = $1 and c.provider = $2 and c.state = 'ready'
     )
     select (select count(*)::int from restored) as restored from before`,
    [appNo, provider, bounces],
  )
  return rows[0] ?? null
}

/** Fewer verdicts than these a week say nothing about what is usual. */
const usualJudgedMin = 1000

/**
 * Works out what share of dead verdicts is usual for each app's provider, from the week before the
 * last two minutes, and forgets older minutes.
 */
export async function updateUsualShares(sql: Sql): Promise<void> {
  await sql.query(`delete from bounce_minutes where minute < now() - interval '7 days'`)
  await sql.query(
    `update app_providers p
     set usual_dead_share = case when b.judged >= ${usualJudgedMin} then b.dead / b.judged end
     from (select app_no, provider, sum(judged)::real as judged, sum(dead)::real as dead
           from bounce_minutes where minute < date_trunc('minute', now()) - interval '1 minute'
           group by app_no, provider) b
     where p.app_no = b.app_no and p.provider = b.provider and p.guarded_since is null`,
  )
}
