import type { Provider } from '@pushkeep/domain'
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
    if (!(await beginRun(sql, appNo, provider))) {
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

/** Locks the lane. Begins anew where a push was accepted, or other credentials were stored, since; then false. */
async function beginRun(sql: Sql, appNo: number, provider: Provider): Promise<boolean> {
  const { rows } = await sql.query<{ goesOn: boolean }>(
    `select coalesce(doubted_since > greatest(p.updated_at, (
              select accepted_at from bounce_minutes
              where app_no = $1 and provider = $2 and accepted_at is not null
              order by minute desc limit 1)), false) as "goesOn"
     from app_providers p where app_no = $1 and provider = $2 for no key update`,
    [appNo, provider],
  )
  const goesOn = rows[0]?.goesOn ?? true
  if (!goesOn) {
    await sql.query(
      'update app_providers set doubted_since = now() where app_no = $1 and provider = $2',
      [appNo, provider],
    )
  }
  return goesOn
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
       select reason, count(distinct coalesce(person_no, -device_no)) as people,
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
  if (row)
    await sql.query('delete from doubts where app_no = $1 and provider = $2', [appNo, provider])
  return row?.reason ?? null
}
