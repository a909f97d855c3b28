import { failuresMax, type Provider } from '@pushkeep/domain'
import { type Database, inTransaction, type Sql } from './connect.ts'

/** An ambiguous answer: it is about the token, the message or the credentials. */
export interface Doubt {
  deviceNo: number
  personNo: number | null
  messageNo: string
  reason: string
}

/** When ambiguous answers count as a fault of the credentials. */
export interface DoubtRule {
  /** Devices of so many different people got the same answer. */
  people: number
  /** And nothing was accepted for so long. */
  seconds: number
}

/** Devices of a lane that are remembered: enough to see that people agree. */
const rememberedMax = 1000

/**
 * Remembers ambiguous answers of an app's provider, and pauses its lane where they have to be about the
 * credentials: nothing was accepted with them for as long as the rule says, and devices of many people got the
 * same answer. Returns the reason where this call paused it.
 */
export function weighDoubts(
  database: Database,
  lane: { appNo: number; provider: Provider },
  doubts: readonly Doubt[],
  rule: DoubtRule,
): Promise<string | null> {
  const { appNo, provider } = lane
  return inTransaction(database, async (sql) => {
    const run = await beginRun(sql, appNo, provider)
    if (run === 'paused') return null
    if (run === 'new') {
      await sql.query(
        `delete from doubts d using app_providers p
         where d.app_no = $1 and d.provider = $2 and p.app_no = $1 and p.provider = $2
           and d.at < p.doubted_since`,
        [appNo, provider],
      )
    }
    await remember(sql, appNo, provider, doubts)
    return pauseWhereAgreed(sql, appNo, provider, rule)
  })
}

/** Locks the lane. A run begins anew where a push was accepted, or other credentials were stored, since. */
async function beginRun(
  sql: Sql,
  appNo: number,
  provider: Provider,
): Promise<'new' | 'goes on' | 'paused'> {
  const { rows } = await sql.query<{ goesOn: boolean; isPaused: boolean }>(
    `select paused_at is not null as "isPaused", coalesce(doubted_since > greatest(p.updated_at, (
              select accepted_at from bounce_minutes
              where app_no = $1 and provider = $2 and accepted_at is not null
              order by minute desc limit 1)), false) as "goesOn"
     from app_providers p where app_no = $1 and provider = $2 for no key update`,
    [appNo, provider],
  )
  const [lane] = rows
  // Without a row the app has lost its credentials: there is nothing to pause.
  if (!lane || lane.isPaused) return 'paused'
  if (lane.goesOn) return 'goes on'
  await sql.query(
    'update app_providers set doubted_since = now() where app_no = $1 and provider = $2',
    [appNo, provider],
  )
  return 'new'
}

async function remember(
  sql: Sql,
  appNo: number,
  provider: Provider,
  doubts: readonly Doubt[],
): Promise<void> {
  const rows = doubts.slice(0, rememberedMax).map((doubt, index) => ({
    rank: index + 1,
    device_no: doubt.deviceNo,
    person_no: doubt.personNo,
    message_no: doubt.messageNo,
    reason: doubt.reason,
  }))
  await sql.query(
    `insert into doubts (app_no, provider, device_no, person_no, message_no, reason, at)
     select $1, $2, device_no, person_no, message_no, reason, clock_timestamp()
     from json_to_recordset($3) as d(
       device_no bigint, person_no bigint, message_no bigint, reason text, rank int)
     where rank <= ${rememberedMax} - (
       select count(*) from doubts where app_no = $1 and provider = $2)
     order by device_no
     on conflict (app_no, provider, device_no) do nothing`,
    [appNo, provider, JSON.stringify(rows)],
  )
}

async function pauseWhereAgreed(
  sql: Sql,
  appNo: number,
  provider: Provider,
  rule: DoubtRule,
): Promise<string | null> {
  const { rows } = await sql.query<{ reason: string }>(
    `with said as (
       -- Devices of nobody count as one person's: anyone may register any number of them.
       select reason, count(distinct coalesce(person_no, 0)) as people,
              (array_agg(json_build_object('message_no', message_no, 'device_no', device_no)
                         order by at, device_no))[1] as first
       from doubts where app_no = $1 and provider = $2
       group by reason order by people desc, reason limit 1
     )
     update app_providers p
     set paused_at = now(), pause_reason = s.reason, doubted_since = null,
         pause_cause = s.first::jsonb || jsonb_build_object('agreed', s.people)
     from said s
     where p.app_no = $1 and p.provider = $2 and p.paused_at is null
       and s.people >= $3 and p.doubted_since <= now() - make_interval(secs => $4)
     returning s.reason`,
    [appNo, provider, rule.people, rule.seconds],
  )
  const [row] = rows
  if (!row) return null
  await takeStrikesBack(sql, appNo, provider)
  await sql.query('delete from doubts where app_no = $1 and provider = $2', [appNo, provider])
  return row.reason
}

/**
 * Nothing was accepted in that time, so that each device was struck once at most. One that was withheld
 * for it has the status of before again.
 */
async function takeStrikesBack(sql: Sql, appNo: number, provider: Provider): Promise<void> {
  await sql.query(
    `with struck as materialized (
       select d.device_no from doubts x
       join devices d on d.app_no = x.app_no and d.device_no = x.device_no
       where x.app_no = $1 and x.provider = $2 and d.failures > 0
       order by d.device_no for no key update of d
     )
     update devices d
     set failures = d.failures - 1,
         last_status = case
           when d.failures < ${failuresMax} or d.last_status <> 'suppressed' then d.last_status
           else coalesce((select e.detail ->> 'before' from device_events e
                          where e.device_no = d.device_no and e.kind = 'suppressed'
                          order by e.at desc limit 1), d.last_status) end
     from struck s
     where d.app_no = $1 and d.device_no = s.device_no`,
    [appNo, provider],
  )
}
