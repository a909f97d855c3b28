import type { AnswerKind, Provider, SettledStatus } from '@pushkeep/domain'
import type { OpenBreaker } from './activity.ts'
import type { Sql } from './connect.ts'
import { statusOf } from './delivery-codes.ts'

const settledSums = `
  sum(sent)::float8 as sent, sum(bounced)::float8 as bounced,
  sum(suppressed)::float8 as suppressed, sum(failed)::float8 as failed,
  sum(expired)::float8 as expired`

/** Deliveries that were settled within a minute. */
export interface SettledMinute extends Record<SettledStatus, number> {
  minute: Date
}

/** What these apps' deliveries came to since `from`, by minute; empty minutes are left out. */
export async function settledMinutes(
  sql: Sql,
  { appNos, from }: { appNos: readonly number[]; from: Date },
): Promise<SettledMinute[]> {
  const { rows } = await sql.query<SettledMinute>({
    name: 'settled-minutes',
    text: `
      select minute, ${settledSums} from provider_minutes
      where app_no = any($1) and provider = any('{apns,fcm}') and minute >= $2
      group by minute order by minute`,
    values: [appNos, from],
  })
  return rows
}

/** How an app's provider has answered lately. */
export interface ProviderHealth {
  appNo: number
  provider: Provider
  /** Calls by what their answers meant. */
  calls: Record<AnswerKind, number>
  /** Calls by `latencyClass`. */
  latency: number[]
  /** Why it last did not serve, if it did not. */
  trouble: string | null
}

/** How the providers of these apps have answered since `from`; those that nobody called are left out. */
export async function providerHealth(
  sql: Sql,
  { appNos, from }: { appNos: readonly number[]; from: Date },
): Promise<ProviderHealth[]> {
  const { rows } = await sql.query<ProviderHealth>({
    name: 'provider-health',
    text: `
      with m as materialized (
        select * from provider_minutes
        where app_no = any($1) and provider = any('{apns,fcm}') and minute >= $2
      )
      select app_no as "appNo", provider,
             json_build_object(
               'accepted', sum(accepted), 'token-dead', sum(token_dead),
               'message-refused', sum(message_refused), 'misconfigured', sum(misconfigured), 'ambiguous', sum(ambiguous),
               'throttled', sum(throttled), 'unavailable', sum(unavailable)) as calls,
             (select array_agg(n order by class) from (
                select class, sum(count)::float8 as n
                from m o cross join unnest(o.latency) with ordinality as l(count, class)
                where o.app_no = m.app_no and o.provider = m.provider group by class) c) as latency,
             (array_agg(trouble order by minute desc) filter (where trouble is not null))[1] as trouble
      from m group by app_no, provider order by app_no, provider`,
    values: [appNos, from],
  })
  return rows
}

/** What the processes of workers report of themselves. */
export interface Workers {
  /** Processes that reported within the last seconds. */
  alive: number
  /** Processes that ended without saying so, within the last ten minutes. */
  missed: number
  breakers: OpenBreaker[]
}

/** A process that has not reported for so long is taken for dead, in seconds. */
export const workerMissedSeconds = 15

/** The workers' processes, and which of their breakers are open for these apps. */
export async function workersNow(sql: Sql, appNos: readonly number[]): Promise<Workers> {
  const { rows } = await sql.query<{ isAlive: boolean; breakers: OpenBreaker[] }>({
    name: 'workers-now',
    text: `
      select seen_at > now() - interval '${workerMissedSeconds} seconds' as "isAlive", breakers
      from worker_reports where seen_at > now() - interval '10 minutes'`,
  })
  const alive = rows.filter(({ isAlive }) => isAlive)
  return {
    alive: alive.length,
    missed: rows.length - alive.length,
    breakers: alive
      // Workers of an earlier version name no message.
      .flatMap(({ breakers }) =>
        breakers.map((one) => ({ ...one, messageId: one.messageId ?? null })),
      )
      .filter(({ appNo }) => appNos.includes(appNo)),
  }
}

/** A stretch of a broadcast's course. */
export interface ProgressPoint extends Record<SettledStatus, number> {
  at: Date
}

/** Most points of a course that are read. */
const pointsMax = 240

/** How a broadcast went over time: at most 240 points, each as long as `stepSeconds` says. */
export async function messageProgress(
  sql: Sql,
  messageNo: string,
): Promise<{ stepSeconds: number; points: ProgressPoint[] }> {
  const { rows: spans } = await sql.query<{ seconds: number | null }>(
    `select extract(epoch from max(at) - min(at))::float8 as seconds
     from message_progress where message_no = $1`,
    [messageNo],
  )
  const tens = Math.ceil(((spans[0]?.seconds ?? 0) + 10) / 10 / pointsMax)
  const stepSeconds = Math.max(1, tens) * 10
  const { rows } = await sql.query<ProgressPoint>({
    name: 'message-progress',
    text: `
      select date_bin(make_interval(secs => $2), at, timestamptz 'epoch') as at, ${settledSums}
      from message_progress where message_no = $1 group by 1 order by 1`,
    values: [messageNo, stepSeconds],
  })
  return { stepSeconds, points: rows }
}

/** How many of a message's deliveries were not sent, and why. */
export interface ReasonCount {
  status: SettledStatus
  reason: string
  deliveries: number
}

/** Up to so many recipients their deliveries are counted one by one. */
const countedExactlyMax = 10_000

interface ReasonRow extends Omit<ReasonCount, 'status'> {
  status: number
}

/**
 * Why a message's deliveries were not sent. A short message's are counted; a long one's are what the
 * workers have summed up, which may miss what a killed one knew.
 */
export async function messageReasons(
  sql: Sql,
  { messageNo, recipients }: { messageNo: string; recipients: number },
): Promise<{ isExact: boolean; reasons: ReasonCount[] }> {
  const isExact = recipients <= countedExactlyMax
  const { rows } = await sql.query<ReasonRow>(
    isExact
      ? {
          name: 'count-reasons',
          text: `
            select status, coalesce(reason, '') as reason, count(*)::float8 as deliveries
            from deliveries where message_no = $1 and status > 1
            group by status, coalesce(reason, '') order by deliveries desc, status, reason limit 50`,
          values: [messageNo],
        }
      : {
          name: 'message-reasons',
          text: `
            select status, reason, deliveries::float8 from message_reasons
            where message_no = $1 order by deliveries desc, status, reason limit 50`,
          values: [messageNo],
        },
  )
  const reasons = rows.flatMap(({ status, ...row }) => {
    const name = statusOf(status)
    return name === 'pending' ? [] : [{ ...row, status: name }]
  })
  return { isExact, reasons }
}

/** Forgets minutes that nobody draws any more; what is kept of a message goes with the message. */
export async function dropOldActivity(sql: Sql): Promise<void> {
  for (const table of ['provider_minutes', 'accepted_minutes']) {
    await sql.query(`delete from ${table} where minute < now() - interval '2 days'`)
  }
  await sql.query(`delete from worker_reports where seen_at < now() - interval '1 hour'`)
}
