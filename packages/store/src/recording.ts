import {
  type DeliveryStatus,
  type DeviceEffect,
  type Environment,
  failuresMax,
  type Provider,
  type RecentVerdicts,
} from '@pushkeep/domain'
import { listOf } from './array-literal.ts'
import {
  type CountedRecently,
  emptySketch,
  inPeople,
  isOfPeople,
  slotOf,
} from './bounce-verdicts.ts'
import type { Database, Sql } from './connect.ts'
import { lastStatusCode, statusCode } from './delivery-codes.ts'
import { chunkedCtes, countsLockedCte } from './recording-ctes.ts'
import { areFirstSent, recordFirstSent } from './recording-sent.ts'

/** What became of one delivery, as a worker saw it. */
export interface Recording {
  chunkNo: string
  messageNo: string
  appNo: number
  provider: Provider
  deviceNo: number
  personNo: number | null
  status: DeliveryStatus
  reason: string | null
  attempts: number
  /** When it was observed; for a pending one, when it is tried again. Milliseconds since the epoch. */
  at: number
  effect: DeviceEffect
  /** The registration that this is about: another one is not touched (R2). */
  epoch: number
  /** APNs' other environment, where it was the right one. */
  environment: Environment | null
}

/** What an app's provider said lately, of an app that the guard watches. */
export interface ProviderVerdicts extends RecentVerdicts {
  appNo: number
  provider: Provider
}

export interface Recorded {
  /** Deliveries written, pending ones included. */
  written: number
  /** Devices whose status changed hands by these outcomes. */
  devices: number
  /** Dead verdicts that no longer were about the present registration. */
  late: number
  /** Of the providers to whose dead people this batch added. */
  verdicts: ProviderVerdicts[]
}

// An ambiguous answer counts on where another device was accepted since the one before: while nothing is
// accepted the credentials may be at fault, and no device comes nearer to being withheld. Answers that come
// after the lane was paused (pushes under way, trials of a resume) do not count at all.
const doubtedFailures = `case
    when exists (select from app_providers ap
                 where ap.app_no = d.app_no and ap.provider = d.provider and ap.paused_at is not null)
      then d.failures
    when d.failures = 0 then 1
    when d.status_at is null or d.status_at < (
      select max(accepted_at) from (
        select b.accepted_at from bounce_minutes b
        where b.app_no = d.app_no and b.provider = d.provider and b.accepted_at is not null
        order by b.minute desc limit 2) newest) then least(d.failures + 1, ${failuresMax})
    else d.failures end`

// Insert where there is nothing, update where it was pending: a settled delivery stays as it is,
// whoever comes second. Counters count what was really written. Devices change by compare-and-set:
// the same registration (R2), no newer outcome (R3); of two outcomes in one batch the one about the
// newer registration counts, then the newer one. An ambiguous answer counts on from what stands there now, not
// from what the claim saw: another delivery may have been recorded since.
// Rows are locked in order, so that two batches over the same devices never deadlock. Joins between
// the parts are few and by device, since the planner knows nothing of their sizes. Where the mass-bounce guard has tripped no token is retired: the
// delivery has bounced, its device stays as it is, and the timeline tells. A person counts once an hour.
const recordText = `
  with given as materialized (
    select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::bigint[],
                         $6::smallint[], $7::text[], $8::smallint[], $9::float8[], $10::smallint[],
                         $11::smallint[], $12::boolean[], $13::int[], $14::text[], $15::text[],
                         $16::int[])
      as g(chunk_no, message_no, app_no, device_no, person_no, status, reason, attempts, at_ms,
           last_status, failures, retire, epoch, environment, provider, slot)
  ), guarded as materialized (
    select app_no, provider from app_providers
    where guarded_since is not null and (app_no, provider) in (select app_no, provider from given)
  ), input as materialized (
    select g.chunk_no, g.message_no, g.app_no, g.provider, g.device_no, g.person_no, g.attempts,
           g.failures, g.epoch, g.environment, g.status, g.reason, g.at_ms, held,
           case when held then -1 else g.last_status end as last_status,
           g.retire and not held as retire
    from given g cross join lateral (
      select g.retire and (g.app_no, g.provider) in (select app_no, provider from guarded) as held) h
  ), written as (
    insert into deliveries as dl (message_no, device_no, person_no, at, status, attempts, reason)
    select message_no, device_no, person_no, to_timestamp(at_ms / 1000), status, attempts, reason
    from input order by message_no, device_no
    on conflict (message_no, device_no) do update
    set at = excluded.at, status = excluded.status, attempts = excluded.attempts,
        reason = excluded.reason
    where dl.status = ${statusCode.pending}
    returning dl.message_no, dl.device_no, dl.status
  ), settled as materialized (
    select i.*, to_timestamp(i.at_ms / 1000) as at
    from input i join written w using (message_no, device_no)
    where w.status <> ${statusCode.pending}
  ), tally as (
    select message_no, max(at) as at,
           count(*) filter (where status = ${statusCode.sent}) as sent,
           count(*) filter (where status = ${statusCode.bounced}) as bounced,
           count(*) filter (where status = ${statusCode.suppressed}) as suppressed,
           count(*) filter (where status = ${statusCode.failed}) as failed,
           count(*) filter (where status = ${statusCode.expired}) as expired
    from settled group by message_no
  ), ${countsLockedCte}, counted as (
    update message_counts c
    set sent = c.sent + t.sent, bounced = c.bounced + t.bounced,
        suppressed = c.suppressed + t.suppressed, failed = c.failed + t.failed,
        expired = c.expired + t.expired, settled_at = greatest(c.settled_at, t.at)
    from tally t join counts_locked using (message_no)
    where c.message_no = t.message_no
  ), ${chunkedCtes('settled')}, present as materialized (
    select s.*, d.last_status as before
    from (select distinct on (app_no, device_no) * from settled where last_status >= 0 or failures > 0
          order by app_no, device_no, epoch desc, at desc) s
    join devices d on d.app_no = s.app_no and d.device_no = s.device_no
    order by d.device_no for no key update of d
  ), changed as (
    update devices d
    set last_status = case when p.last_status < 0 then d.last_status
                           else (array['', 'sent', 'bounced', 'suppressed'])[p.last_status + 1] end,
        status_at = p.at,
        failures = case when p.failures > 0 then ${doubtedFailures}
                        when p.failures = 0 then 0 else d.failures end,
        dead_at = case when p.retire then p.at else d.dead_at end,
        dead_reason = case when p.retire then p.reason else d.dead_reason end,
        environment = coalesce(p.environment, d.environment),
        was_accepted = d.was_accepted or p.last_status = 1
    from present p
    where d.app_no = p.app_no and d.device_no = p.device_no and d.deleted_at is null
      and d.epoch = p.epoch and (d.status_at is null or d.status_at <= p.at)
    returning d.app_no, d.provider, d.device_no, d.person_no, p.before, d.last_status, p.retire,
              p.failures, p.reason, p.at, d.was_accepted or p.before = 'sent' as was_accepted
  ), ignored as (
    select device_no, at, reason from settled
    where retire and device_no not in (select device_no from changed)
  ), dead_people as (
    insert into bounced_people (app_no, provider, person_key)
    select distinct app_no, provider, coalesce(person_no, -device_no) as person_key from changed
    where retire and was_accepted order by app_no, provider, person_key
    on conflict (app_no, provider, person_key) do nothing
    returning app_no, provider
  ), minute as (
    insert into bounce_minutes as b
      (app_no, provider, minute, judged, counted, dead, accepted_at, accepted)
    select app_no, provider, date_trunc('minute', now()), count(*), count(*),
           count(*) filter (where is_dead), to_timestamp(max(at_ms) / 1000),
           coalesce(bit_or(set_bit(${emptySketch}, slot, 1)) filter (where not is_dead), ${emptySketch})
    from (select app_no, provider, false as is_dead, at_ms, slot from given
          where status = ${statusCode.sent}
          union all select app_no, provider, true, null, null from dead_people) v
    group by app_no, provider order by app_no, provider
    on conflict (app_no, provider, minute) do update
    set judged = b.judged + excluded.judged, counted = b.counted + excluded.counted,
        dead = b.dead + excluded.dead,
        accepted = coalesce(b.accepted | excluded.accepted, excluded.accepted),
        accepted_at = greatest(b.accepted_at, excluded.accepted_at)
    returning app_no, provider, minute, judged, counted, dead, accepted
  ), verdicts as (
    select m.app_no as "appNo", m.provider, ap.usual_dead_share as "usualShare",
           json_build_object('judged', m.judged, 'dead', m.dead, 'accepted', m.accepted) as minute,
           json_build_object('judged', m.judged + h.judged, 'dead', m.dead + h.dead,
                             'accepted', coalesce(m.accepted | h.accepted, m.accepted)) as hour
    from (select app_no, provider, minute, case when ${isOfPeople('n')} then judged else 0 end as judged,
                 case when ${isOfPeople('n')} then dead else 0 end as dead,
                 case when ${isOfPeople('n')} then accepted else ${emptySketch} end as accepted
          from minute n) m
    join app_providers ap using (app_no, provider)
    cross join lateral (
      select coalesce(sum(b.judged), 0) as judged, coalesce(sum(b.dead), 0) as dead,
             bit_or(b.accepted) as accepted
      from bounce_minutes b
      where ${isOfPeople('b')} and b.app_no = m.app_no and b.provider = m.provider
        and b.minute > m.minute - interval '1 hour' and b.minute < m.minute) h
    where (m.app_no, m.provider) in (select app_no, provider from dead_people)
      and ap.guarded_since is null
      and (ap.bounces_trusted_until is null or ap.bounces_trusted_until < now())
  ), told as (
    insert into device_events (device_no, at, kind, detail)
    select device_no, at, case when failures > 0 then 'failed' else last_status end,
           json_build_object('reason', reason, 'token_retired', retire, 'before', before)
    from changed
    where last_status in ('bounced', 'suppressed') and last_status <> before
       or retire or failures > 0
    union all
    select device_no, at, 'verdict_ignored', json_build_object('reason', reason) from ignored
    union all
    select device_no, at, 'verdict_ignored', json_build_object('reason', reason, 'guarded', true)
    from settled where held
  )
  select (select count(*)::int from written) as written,
         (select count(*)::int from changed) as devices,
         (select count(*)::int from ignored) as late,
         (select coalesce(json_agg(verdicts), '[]') from verdicts) as verdicts`

/**
 * Writes outcomes back in one statement: deliveries, counters, chunks and devices are committed
 * together.
 */
export async function recordOutcomes(
  database: Database,
  all: readonly Recording[],
): Promise<Recorded> {
  const inOrder = all.toSorted((one, other) => one.deviceNo - other.deviceNo)
  const recorded = areFirstSent(inOrder) ? await recordFirstSent(database, inOrder) : null
  return recorded ?? recordAny(database, onePerDelivery(all))
}

async function recordAny(sql: Sql, batch: readonly Recording[]): Promise<Recorded> {
  const { rows } = await sql.query<RecordedRow>({
    name: 'record-outcomes',
    text: recordText,
    values: [
      listOf(batch, (r) => r.chunkNo),
      listOf(batch, (r) => r.messageNo),
      listOf(batch, (r) => r.appNo),
      listOf(batch, (r) => r.deviceNo),
      listOf(batch, (r) => r.personNo ?? 'null'),
      listOf(batch, (r) => statusCode[r.status]),
      batch.map((r) => r.reason),
      listOf(batch, (r) => r.attempts),
      listOf(batch, (r) => r.at),
      listOf(batch, (r) => lastStatusCode(r.effect.lastStatus)),
      listOf(batch, (r) => r.effect.failures ?? -1),
      listOf(batch, (r) => (r.effect.token === 'retired' ? 't' : 'f')),
      listOf(batch, (r) => r.epoch),
      batch.map((r) => r.environment),
      listOf(batch, (r) => r.provider),
      listOf(batch, slotOf),
    ],
  })
  const [row] = rows
  if (!row) return { written: 0, devices: 0, late: 0, verdicts: [] }
  const verdicts = row.verdicts.map((one) => ({ ...one, ...inPeople(one) }))
  return { ...row, verdicts }
}

type RecordedRow = Omit<Recorded, 'verdicts'> & {
  verdicts: (Pick<ProviderVerdicts, 'appNo' | 'provider'> & CountedRecently)[]
}

/**
 * A chunk whose lease ran out may come back to the same worker while its first answers still wait
 * here: of two for one delivery the first that settles it is kept, as if it had been written alone.
 */
function onePerDelivery(all: readonly Recording[]): Recording[] {
  const kept = new Map<string, Recording>()
  for (const recording of all) {
    const key = `${recording.messageNo} ${recording.deviceNo}`
    const other = kept.get(key)
    if (other === undefined || other.status === 'pending') kept.set(key, recording)
  }
  return [...kept.values()]
}
