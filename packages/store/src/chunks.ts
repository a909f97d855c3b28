import type {
  Environment,
  MessageContent,
  OnUnknown,
  Provider,
  WithheldReason,
} from '@pushkeep/domain'
import type { Sql } from './connect.ts'

/** How long a lease lasts without being renewed: a killed worker's chunks are free after that. */
export const leaseSeconds = 6

/** A recipient at the moment of sending, with what stands against sending (R6, R7). */
export interface Recipient {
  deviceNo: number
  /** Whom the device belonged to when the message was planned. */
  personNo: number | null
  /** null only where `withheld` says why. */
  token: string | null
  withheld: WithheldReason | null
  epoch: number
  /** Milliseconds since the epoch. */
  registeredAt: number
  environment: Environment | null
  failures: number
  /** Tries before this one that ended with a known answer. */
  attempts: number
  /** An earlier holder of the chunk may have sent it: an unknown outcome (R5). */
  mayHaveBeenSent: boolean
}

/** What is the same for every recipient of a chunk. */
export interface ChunkMessage {
  id: string
  workspaceNo: number
  content: MessageContent
  priority: 'high' | 'normal'
  collapseId: string
  onUnknown: OnUnknown
  ttlSeconds: number
  /** Milliseconds since the epoch. */
  expiresAt: number
}

export interface LeasedChunk {
  chunkNo: string
  messageNo: string
  appNo: number
  provider: Provider
  lane: string
  size: number
  /** Recipients whose sending has begun, the ones below included; 0 for a broadcast's new chunk. */
  claimed: number
  isRetry: boolean
  /** Which lease this is: 1 for the first. */
  leases: number
  /** Which credentials the app has for this provider; null: none. */
  credentialsVersion: number | null
  /** What was claimed before this lease: 0 where nobody began. */
  claimedBefore: number
  /** The database's clock at the lease, milliseconds since the epoch. */
  now: number
  message: ChunkMessage
  recipients: Recipient[]
}

// R6 and R7 where the claim is made: the row is read by the statement that claims it.
const withheld = `case
    when m.cancelled_at is not null then 'cancelled'
    when d.device_no is null or d.deleted_at is not null then 'deleted'
    when d.provider <> c.provider then 'replaced'
    when r.person_no is not null and d.person_no is distinct from r.person_no then 'reassigned'
    when p.suppressed_at is not null then 'person_suppressed'
    when d.dead_at is not null then 'token_dead'
    when not d.push_permission then 'push_disabled'
    when d.failures >= 2 then 'failing'
  end`

/** One JSON array of small arrays a window: parsed natively, where rows are parsed field by field. */
function recipientsJson(attempts: string, mayHaveBeenSent: string): string {
  return `json_agg(json_build_array(
      r.device_no, r.person_no, d.token, ${withheld}, d.epoch,
      (extract(epoch from d.registered_at) * 1000)::bigint, d.environment, d.failures,
      ${attempts}, ${mayHaveBeenSent}) order by r.device_no)`
}

// One that is due later is in a chunk of its own. Of a cancelled message everything is.
const isDue = 'dl.status = 0 and (dl.at <= c.due_at or m.cancelled_at is not null)'

const joinDevices = `
  left join devices d on d.app_no = c.app_no and d.device_no = r.device_no
  left join people p on p.person_no = d.person_no`

type RecipientRow = [
  number,
  number | null,
  string | null,
  WithheldReason | null,
  number | null,
  number | null,
  Environment | null,
  number | null,
  number,
  boolean,
]

function recipientOf(row: RecipientRow): Recipient {
  return {
    deviceNo: row[0],
    personNo: row[1],
    token: row[2],
    withheld: row[3],
    epoch: row[4] ?? 0,
    registeredAt: row[5] ?? 0,
    environment: row[6],
    failures: row[7] ?? 0,
    attempts: row[8],
    mayHaveBeenSent: row[9],
  }
}

interface LeaseRow extends Omit<LeasedChunk, 'recipients'> {
  recipients: RecipientRow[] | null
}

// A chunk met for the first time claims its first window at once, unless it is a broadcast's: that one
// may have to wait for room. One that was claimed in part under a lease that ran out gives what was
// claimed and has no delivery: unknown outcomes. A chunk of retries gives those of its deliveries that
// are still pending from before it was due.
const leaseText = `
  with free as materialized (
    select c.chunk_no, w.lease, c.claimed as before, ap.version as credentials_version
    from unnest($1::bigint[], $2::uuid[]) as w(chunk_no, lease)
    join chunks c using (chunk_no)
    join messages m using (message_no)
    left join app_providers ap on ap.app_no = c.app_no and ap.provider = c.provider
    where (c.state = 'ready' and c.due_at <= now() or c.state = 'leased' and c.rescue_at < now())
      and (ap.paused_at is null or m.expires_at <= now() or m.cancelled_at is not null)
    order by c.chunk_no
    for update of c skip locked
  ), leased as (
    update chunks c
    set state = 'leased', lease = f.lease, leases = c.leases + 1,
        rescue_at = now() + interval '${leaseSeconds} seconds',
        claimed = case when f.before > 0 then f.before when c.lane = 'bulk' then 0
                       else least(c.size, $3::int) end
    from free f
    where c.chunk_no = f.chunk_no
    returning c.*, f.before, f.credentials_version
  )
  select c.chunk_no::text as "chunkNo", c.message_no::text as "messageNo", c.app_no as "appNo",
         c.provider, c.lane, c.size, c.claimed, c.is_retry as "isRetry", c.leases,
         c.credentials_version as "credentialsVersion", c.before as "claimedBefore",
         extract(epoch from now())::float8 * 1000 as now,
         json_build_object(
           'id', m.id, 'workspaceNo', m.workspace_no, 'content', m.content, 'priority', m.priority,
           'collapseId', m.collapse_id, 'onUnknown', m.on_unknown, 'ttlSeconds', m.ttl_seconds,
           'expiresAt', (extract(epoch from m.expires_at) * 1000)::bigint) as message,
         case when c.before = 0 and not c.is_retry then (
           select ${recipientsJson('0', 'false')}
           from unnest(c.device_nos[1:c.claimed], c.person_nos[1:c.claimed]) as r(device_no, person_no)
           ${joinDevices}
         ) else (
           select ${recipientsJson('coalesce(dl.attempts, c.leases - 1)', 'c.before > 0')}
           from unnest(c.device_nos[1:c.claimed], c.person_nos[1:c.claimed]) as r(device_no, person_no)
           left join deliveries dl
             on dl.message_no = c.message_no and dl.device_no = r.device_no
           ${joinDevices}
           where dl.device_no is null or c.is_retry and ${isDue}
         ) end as recipients
  from leased c join messages m using (message_no)`

/**
 * Leases chunks and claims the first window of each, but for broadcasts, in one statement. A chunk
 * that somebody else holds, that is done, not due, or whose app is paused is not in the answer.
 */
export async function leaseChunks(
  sql: Sql,
  wanted: readonly { chunkNo: string; lease: string }[],
  window: number,
): Promise<LeasedChunk[]> {
  const { rows } = await sql.query<LeaseRow>({
    name: 'lease-chunks',
    text: leaseText,
    values: [wanted.map((chunk) => chunk.chunkNo), wanted.map((chunk) => chunk.lease), window],
  })
  return rows.map((row) => ({ ...row, recipients: (row.recipients ?? []).map(recipientOf) }))
}

/**
 * Claims the next window of a leased chunk and renews the lease. null: the lease was lost, and
 * nothing more of this chunk may be sent by its former holder.
 */
export async function claimWindow(
  sql: Sql,
  chunk: { chunkNo: string; claimed: number; isRetry: boolean },
  lease: string,
  window: number,
): Promise<Recipient[] | null> {
  const { rows } = await sql.query<{ recipients: RecipientRow[] | null }>({
    name: chunk.isRetry ? 'claim-retry-window' : 'claim-window',
    text: chunk.isRetry ? claimRetryText : claimText,
    values: [chunk.chunkNo, lease, chunk.claimed, window],
  })
  const [row] = rows
  return row ? (row.recipients ?? []).map(recipientOf) : null
}

const claimedCte = `with claimed as (
    update chunks
    set claimed = least(size, claimed + $4::int),
        rescue_at = now() + interval '${leaseSeconds} seconds'
    where chunk_no = $1 and lease = $2 and state = 'leased' and claimed = $3
    returning *
  )`

const claimText = `
  ${claimedCte}
  select (
    select ${recipientsJson('0', 'false')}
    from unnest(c.device_nos[$3 + 1:c.claimed], c.person_nos[$3 + 1:c.claimed])
      as r(device_no, person_no)
    ${joinDevices}
  ) as recipients
  from claimed c join messages m using (message_no)`

const claimRetryText = `
  ${claimedCte}
  select (
    select ${recipientsJson('dl.attempts', 'false')}
    from unnest(c.device_nos[$3 + 1:c.claimed], c.person_nos[$3 + 1:c.claimed])
      as r(device_no, person_no)
    join deliveries dl on dl.message_no = c.message_no and dl.device_no = r.device_no
    ${joinDevices}
    where ${isDue}
  ) as recipients
  from claimed c join messages m using (message_no)`
