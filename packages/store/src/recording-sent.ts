import pg from 'pg'
import { listOf } from './array-literal.ts'
import { emptySketch, slotOf } from './bounce-verdicts.ts'
import type { Database } from './connect.ts'
import { statusCode } from './delivery-codes.ts'
import type { Recorded, Recording } from './recording.ts'
import { chunkedCtes, countsLockedCte } from './recording-ctes.ts'

// Most outcomes say that a first try was sent, and nothing else: no row of it can be there, no token is in
// question, and nothing has to be told. Of these each row is written once, without a look before, in half
// the time. Devices change by the same compare-and-set as elsewhere (R2, R3). Locks are taken in
// the order that is everybody's: deliveries, then devices by number, counts, chunks.
const sentText = `
  with given as materialized (
    select chunk_no, message_no, app_no, device_no, person_no, to_timestamp(at_ms / 1000) as at,
           epoch, provider, slot
    from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::bigint[], $6::float8[],
                $7::int[], $8::text[], $9::int[])
      as g(chunk_no, message_no, app_no, device_no, person_no, at_ms, epoch, provider, slot)
  ), minute as (
    insert into bounce_minutes as b
      (app_no, provider, minute, judged, counted, dead, accepted_at, accepted)
    select app_no, provider, date_trunc('minute', now()), count(*), count(*), 0, max(at),
           bit_or(set_bit(${emptySketch}, slot, 1))
    from given group by app_no, provider order by app_no, provider
    on conflict (app_no, provider, minute) do update
    set judged = b.judged + excluded.judged, counted = b.counted + excluded.counted,
        accepted = coalesce(b.accepted | excluded.accepted, excluded.accepted),
        accepted_at = greatest(b.accepted_at, excluded.accepted_at)
  ), written as (
    insert into deliveries (message_no, device_no, person_no, at, status, attempts, reason)
    select message_no, device_no, person_no, at, ${statusCode.sent}, 1, null from given
    order by message_no, device_no
    returning 1
  ), tally as (
    select message_no, max(at) as at, count(*) as sent from given group by message_no
  ), ${countsLockedCte}, counted as (
    update message_counts c
    set sent = c.sent + t.sent, settled_at = greatest(c.settled_at, t.at)
    from tally t join counts_locked using (message_no)
    where c.message_no = t.message_no
  ), ${chunkedCtes('given')}, changed as (
    update devices d
    set last_status = 'sent', status_at = g.at, failures = 0, was_accepted = true
    from given g
    where d.app_no = g.app_no and d.device_no = g.device_no and d.deleted_at is null
      and d.epoch = g.epoch and (d.status_at is null or d.status_at <= g.at)
      and (select count(*) from written) > 0
    returning 1
  )
  select (select count(*)::int from written) as written,
         (select count(*)::int from changed) as devices,
         0 as late, '[]'::json as verdicts`

/** Whether a batch, in the order of devices, is of first tries that were sent, one for each device. */
export function areFirstSent(batch: readonly Recording[]): boolean {
  let before: Recording | undefined
  for (const recording of batch) {
    const { status, attempts, environment, effect } = recording
    const isPlain =
      status === 'sent' &&
      attempts === 1 &&
      environment === null &&
      effect.lastStatus === 'sent' &&
      effect.failures === 0 &&
      effect.token === null
    if (!isPlain || before?.deviceNo === recording.deviceNo) return false
    before = recording
  }
  return true
}

/**
 * Writes a batch of `areFirstSent`, all or nothing; null where a delivery is on record already, and
 * nothing was written.
 */
export async function recordFirstSent(
  database: Database,
  batch: readonly Recording[],
): Promise<Recorded | null> {
  try {
    const { rows } = await database.query<Recorded>({
      name: 'record-first-sent',
      text: sentText,
      values: [
        listOf(batch, (r) => r.chunkNo),
        listOf(batch, (r) => r.messageNo),
        listOf(batch, (r) => r.appNo),
        listOf(batch, (r) => r.deviceNo),
        listOf(batch, (r) => r.personNo),
        listOf(batch, (r) => r.at),
        listOf(batch, (r) => r.epoch),
        listOf(batch, (r) => r.provider),
        listOf(batch, slotOf),
      ],
    })
    return rows[0] ?? null
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === uniqueViolation) return null
    throw error
  }
}

const uniqueViolation = '23505'
