import { leaseSeconds, strandedAgain } from './chunks.ts'
import type { Sql } from './connect.ts'
import { doorbellChannel } from './outbox.ts'
import { ringAgainSeconds } from './planning.ts'

/** Renews leases while their sends are under way. Returns the chunks that are still ours. */
export async function renewLeases(
  sql: Sql,
  held: readonly { chunkNo: string; lease: string }[],
): Promise<Set<string>> {
  const { rows } = await sql.query<{ chunk_no: string }>(
    `with held as materialized (
       select c.chunk_no
       from unnest($1::bigint[], $2::uuid[]) as h(chunk_no, lease)
       join chunks c on c.chunk_no = h.chunk_no and c.lease = h.lease and c.state = 'leased'
       order by c.chunk_no for no key update of c
     )
     update chunks c set rescue_at = now() + interval '${leaseSeconds} seconds'
     from held h where c.chunk_no = h.chunk_no
     returning c.chunk_no::text`,
    [held.map((chunk) => chunk.chunkNo), held.map((chunk) => chunk.lease)],
  )
  return new Set(rows.map((row) => row.chunk_no))
}

/**
 * Hands a chunk back: what is not claimed is sent later, by whoever leases it then. `claimed` takes
 * back a claim of which nothing was sent, so that it does not count as an unknown outcome.
 */
export async function releaseChunk(
  sql: Sql,
  held: { chunkNo: string; lease: string; claimed: number },
  delayMs: number,
): Promise<void> {
  await sql.query({
    name: 'release-chunk',
    text: `
      with released as (
        update chunks
        set state = 'ready', lease = null, claimed = $3,
            due_at = now() + make_interval(secs => $4::float8 / 1000),
            rescue_at = now() + make_interval(secs => $4::float8 / 1000 + ${ringAgainSeconds})
        where chunk_no = $1 and lease = $2 and state = 'leased'
        returning chunk_no, provider, lane, leases, due_at
      )
      insert into outbox (queue, ref, ring, due_at)
      select provider || '-' || lane, chunk_no, leases, due_at from released`,
    values: [held.chunkNo, held.lease, held.claimed, delayMs],
  })
}

/**
 * Closes a chunk whose recipients are all either settled or pending, and makes chunks of the pending
 * ones, due when the earliest of each second may be tried again. A doorbell never looks older than it
 * is: its age tells how far the relays lag. Returns false where something is still open: it stays
 * leased and is rescued.
 */
export async function closeChunk(sql: Sql, chunkNo: string, lease: string): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: 'close-chunk',
    text: `
      with chunk as materialized (
        select * from chunks where chunk_no = $1 and lease = $2 and state = 'leased' for update
      ), recipient as materialized (
        select r.device_no, r.person_no, dl.status,
               date_bin('1 second', dl.at, timestamptz 'epoch') + interval '1 second' as due_at
        from chunk c
        cross join unnest(c.device_nos, c.person_nos) as r(device_no, person_no)
        left join deliveries dl on dl.message_no = c.message_no and dl.device_no = r.device_no
      ), closed as (
        update chunks c set state = 'done', settled = c.size
        from chunk o
        where c.chunk_no = o.chunk_no and not exists (select from recipient where status is null)
        returning o.*
      ), made as (
        insert into chunks (message_no, app_no, provider, lane, device_nos, person_nos, size,
                            is_retry, due_at, rescue_at)
        select c.message_no, c.app_no, c.provider, c.lane,
               array_agg(r.device_no order by r.device_no),
               array_agg(r.person_no order by r.device_no),
               count(*), true, r.due_at, r.due_at + interval '${ringAgainSeconds} seconds'
        from closed c cross join recipient r
        where r.status = 0
        group by c.message_no, c.app_no, c.provider, c.lane, r.due_at
        returning chunk_no, provider, lane, due_at
      ), rung as (
        insert into outbox (queue, ref, due_at)
        select provider || '-' || lane, chunk_no, greatest(due_at, now()) from made
      )
      select from closed`,
    values: [chunkNo, lease],
  })
  return rowCount === 1
}

export interface Rescued {
  /** Chunks whose lease ran out. */
  expiredLeases: number
  /** Chunks that were rung and that nobody took. */
  unheard: number
  /** Messages that nobody planned. */
  unplanned: number
}

/**
 * Finds work that the queue forgot or a worker left behind, and rings again. The guarantee that
 * nothing accepted is lost rests here, not on the queue. A chunk that goes on waiting is rung ever
 * more rarely; chunks of a paused app are left in peace.
 */
export async function rescue(sql: Sql, limit: number): Promise<Rescued> {
  const { rows } = await sql.query<Rescued>({
    name: 'rescue',
    text: `
      with late as materialized (
        select c.chunk_no, c.state,
               not exists (select from app_providers ap join messages m on m.message_no = c.message_no
                           where ap.app_no = c.app_no and ap.provider = c.provider
                             and ap.paused_at is not null and m.expires_at > now()
                             and m.cancelled_at is null) as runs
        from chunks c where c.state <> 'done' and c.rescue_at < now()
        order by c.rescue_at limit $1 for update of c skip locked
      ), freed as (
        update chunks c
        set state = 'ready', lease = null,
            stranded = case when l.state = 'leased' then ${strandedAgain} else c.stranded end,
            stranded_settled = case when l.state = 'leased' then c.settled
                                    else c.stranded_settled end,
            rescue_at = now() + least(interval '5 minutes',
              greatest(interval '${ringAgainSeconds} seconds', now() - c.due_at))
        from late l where c.chunk_no = l.chunk_no
        returning c.chunk_no, c.provider, c.lane, c.leases, c.due_at, l.runs
      ), forgotten as (
        select message_no from messages
        where planned_at is null and coalesce(send_at, created_at) < now() - interval '5 seconds'
        order by coalesce(send_at, created_at) limit $1
      ), rung as (
        insert into outbox (queue, ref, ring)
        select provider || '-' || lane, chunk_no, ${ringOfNow} from freed where runs
        union all
        select 'plan', message_no, ${ringOfNow} from forgotten
      )
      select count(*) filter (where state = 'leased')::int as "expiredLeases",
             count(*) filter (where state = 'ready' and runs)::int as unheard,
             (select count(*)::int from forgotten) as unplanned,
             pg_notify('${doorbellChannel}', '')
      from late`,
    values: [limit],
  })
  return rows[0] ?? { expiredLeases: 0, unheard: 0, unplanned: 0 }
}

// A new number each period: the queue ignores an id that it holds, also where the job of that id
// belongs to a worker that died, and within a period one ring is enough.
const ringOfNow = `(extract(epoch from now())::bigint / ${ringAgainSeconds} % 1000000000)::int`
