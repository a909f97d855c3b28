import type { AnswerKind, Provider, SettledStatus } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { statusCode } from './delivery-codes.ts'

/** What an app's provider saw within a minute, as far as one process knows. */
export interface ProviderSums {
  appNo: number
  provider: Provider
  /** Start of the minute, ms since the epoch. */
  minute: number
  /** Deliveries that were settled. */
  settled: Record<SettledStatus, number>
  /** Calls by what their answers meant. */
  calls: Record<AnswerKind, number>
  /** Calls by `latencyClass`. */
  latency: number[]
  /** The last reason why it did not serve: throttled, unavailable, or a fault of ours. */
  trouble: string | null
}

/** What became of a broadcast's deliveries within ten seconds, as far as one process knows. */
export interface MessageSums {
  messageNo: string
  /** Start of the ten seconds, ms since the epoch. */
  at: number
  settled: Record<SettledStatus, number>
  reasons: { status: SettledStatus; reason: string; deliveries: number }[]
}

/** A breaker that holds back one message, or all of an app's provider. */
export interface OpenBreaker {
  appNo: number
  provider: Provider
  /** The one message that is held back; null: everything is. */
  messageId: string | null
  /** When it lets a probe through, ms since the epoch. */
  openUntil: number
  /** How often it opened in a row. */
  refusals: number
}

/** That a process of workers lives, and how it stands. */
export interface WorkerReport {
  /** A UUID of the process. */
  worker: string
  /** ms since the epoch. */
  startedAt: number
  breakers: OpenBreaker[]
}

// Sorted before they are locked, so that two processes that add to the same rows never deadlock.
const addText = `
  with provider as (
    insert into provider_minutes as p (
      app_no, provider, minute, sent, bounced, suppressed, failed, expired,
      accepted, token_dead, message_refused, misconfigured, ambiguous, throttled, unavailable, latency,
      trouble)
    select app_no, provider, to_timestamp(minute / 1000), sent, bounced, suppressed, failed,
           expired, accepted, token_dead, message_refused, misconfigured, ambiguous, throttled, unavailable,
           latency, trouble
    from json_to_recordset($1) as i(
      app_no int, provider text, minute float8, sent bigint, bounced bigint, suppressed bigint,
      failed bigint, expired bigint, accepted bigint, token_dead bigint, message_refused bigint,
      misconfigured bigint, ambiguous bigint, throttled bigint, unavailable bigint, latency bigint[],
      trouble text)
    order by app_no, provider, minute
    on conflict (app_no, provider, minute) do update
    set sent = p.sent + excluded.sent, bounced = p.bounced + excluded.bounced,
        suppressed = p.suppressed + excluded.suppressed, failed = p.failed + excluded.failed,
        expired = p.expired + excluded.expired, accepted = p.accepted + excluded.accepted,
        token_dead = p.token_dead + excluded.token_dead,
        message_refused = p.message_refused + excluded.message_refused,
        misconfigured = p.misconfigured + excluded.misconfigured,
        ambiguous = p.ambiguous + excluded.ambiguous,
        throttled = p.throttled + excluded.throttled,
        unavailable = p.unavailable + excluded.unavailable,
        trouble = coalesce(excluded.trouble, p.trouble),
        latency = (select array_agg(coalesce(a, 0) + coalesce(b, 0) order by n)
                   from unnest(p.latency, excluded.latency) with ordinality as l(a, b, n))
  ), progress as (
    insert into message_progress as p (message_no, at, sent, bounced, suppressed, failed, expired)
    select message_no, to_timestamp(at / 1000), sent, bounced, suppressed, failed, expired
    from json_to_recordset($2) as i(
      message_no bigint, at float8, sent bigint, bounced bigint, suppressed bigint, failed bigint,
      expired bigint)
    order by message_no, at
    on conflict (message_no, at) do update
    set sent = p.sent + excluded.sent, bounced = p.bounced + excluded.bounced,
        suppressed = p.suppressed + excluded.suppressed, failed = p.failed + excluded.failed,
        expired = p.expired + excluded.expired
  ), reasons as (
    insert into message_reasons as r (message_no, status, reason, deliveries)
    select message_no, status, reason, sum(deliveries)
    from json_to_recordset($3) as i(
      message_no bigint, status smallint, reason text, deliveries bigint)
    group by message_no, status, reason order by message_no, status, reason
    on conflict (message_no, status, reason) do update
    set deliveries = r.deliveries + excluded.deliveries
  )
  insert into worker_reports (worker, started_at, seen_at, breakers)
  values ($4, to_timestamp($5::float8 / 1000), now(), $6)
  on conflict (worker) do update set seen_at = excluded.seen_at, breakers = excluded.breakers`

/** Adds what a process of workers has seen since it last did, and that it lives. */
export async function addActivity(
  sql: Sql,
  report: WorkerReport,
  providers: readonly ProviderSums[],
  messages: readonly MessageSums[],
): Promise<void> {
  const reasons = messages.flatMap(({ messageNo, reasons }) =>
    reasons.map(({ status, reason, deliveries }) => ({
      message_no: messageNo,
      status: statusCode[status],
      reason,
      deliveries,
    })),
  )
  await sql.query({
    name: 'add-activity',
    text: addText,
    values: [
      JSON.stringify(providers.map(providerRow)),
      JSON.stringify(
        messages.map(({ messageNo, at, settled }) => ({ message_no: messageNo, at, ...settled })),
      ),
      JSON.stringify(reasons),
      report.worker,
      report.startedAt,
      JSON.stringify(report.breakers),
    ],
  })
}

function providerRow({ appNo, calls, settled, ...sums }: ProviderSums) {
  return {
    ...sums,
    app_no: appNo,
    ...settled,
    accepted: calls.accepted,
    token_dead: calls['token-dead'],
    message_refused: calls['message-refused'],
    misconfigured: calls.misconfigured,
    ambiguous: calls.ambiguous,
    throttled: calls.throttled,
    unavailable: calls.unavailable,
  }
}

/** Takes back a process's report when it ends in good order: it is not missed. */
export async function endActivity(sql: Sql, worker: string): Promise<void> {
  await sql.query('delete from worker_reports where worker = $1', [worker])
}
