import type { MessageContent, OnUnknown, Provider } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import {
  joinDevices,
  parseRecipients,
  type Recipient,
  type RecipientRow,
  recipientsJson,
} from './recipients.ts'

/** How long a lease lasts without being renewed: a killed worker's chunks are free after that. */
export const leaseSeconds = 6

/** SQL: how often a lease of a chunk `c` ran out in vain, once another one has. */
export const strandedAgain =
  'case when c.settled > c.stranded_settled then 1 else c.stranded + 1 end'

/** What is the same for every recipient of a chunk. */
export interface ChunkMessage {
  id: string
  workspaceNo: number
  content: MessageContent
  /** The attributes of the person that its templates read; null: it has none. */
  personKeys: string[] | null
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
  /** How often in a row a lease of it ran out without one more outcome on record. */
  stranded: number
  /** Which credentials the app has for this provider; null: none. */
  credentialsVersion: number | null
  /** How often an operator resumed this lane: a breaker that is open closes with the next. */
  resumes: number
  /** What was claimed before this lease: 0 where nobody began. */
  claimedBefore: number
  /** The database's clock at the lease, milliseconds since the epoch. */
  now: number
  message: ChunkMessage
  /** The first window; for a resumed chunk, those whose outcome is unknown. */
  recipients: Recipient[]
  /** Whom it is for, with whom they belonged to when it was planned, where windows are left to claim. */
  deviceNos: number[]
  personNos: (number | null)[]
}

// One that is due later is in a chunk of its own. Of a cancelled message everything is.
const isDue = 'dl.status = 0 and (dl.at <= c.due_at or m.cancelled_at is not null)'

interface LeaseRow extends Omit<LeasedChunk, 'recipients' | 'deviceNos' | 'personNos'> {
  recipients: RecipientRow[] | null
  deviceNos: string | null
  personNos: string | null
}

// A chunk met for the first time claims its first window at once, unless it is a broadcast's: that one
// may have to wait for room. One that was claimed in part under a lease that ran out gives what was
// claimed and has no delivery: unknown outcomes. A chunk of retries gives those of its deliveries that
// are still pending from before it was due.
const leaseText = (mayBeSent: string) => `
  with free as materialized (
    select c.chunk_no, w.lease, c.claimed as before, c.state = 'leased' as is_expired, ap.version as credentials_version,
           coalesce(ap.resumes, 0) as resumes
    from unnest($1::bigint[], $2::uuid[]) as w(chunk_no, lease)
    join chunks c using (chunk_no)
    join messages m using (message_no)
    left join app_providers ap on ap.app_no = c.app_no and ap.provider = c.provider
    where (c.state = 'ready' and c.due_at <= now() or c.state = 'leased' and c.rescue_at < now())
      and ${mayBeSent}
    order by c.chunk_no
    for update of c skip locked
  ), leased as (
    update chunks c
    set state = 'leased', lease = f.lease, leases = c.leases + 1,
        stranded = case when f.is_expired then ${strandedAgain} else c.stranded end,
        stranded_settled = case when f.is_expired then c.settled else c.stranded_settled end,
        rescue_at = now() + interval '${leaseSeconds} seconds',
        claimed = case when f.before > 0 then f.before when c.lane = 'bulk' then 0
                       else least(c.size, $3::int) end
    from free f
    where c.chunk_no = f.chunk_no
    returning c.*, f.before, f.credentials_version, f.resumes
  )
  select c.chunk_no::text as "chunkNo", c.message_no::text as "messageNo", c.app_no as "appNo",
         c.provider, c.lane, c.size, c.claimed, c.is_retry as "isRetry", c.leases, c.stranded,
         c.credentials_version as "credentialsVersion", c.resumes, c.before as "claimedBefore",
         extract(epoch from now())::float8 * 1000 as now,
         json_build_object(
           'id', m.id, 'workspaceNo', m.workspace_no, 'content', m.content,
           'personKeys', m.person_keys, 'priority', m.priority,
           'collapseId', m.collapse_id, 'onUnknown', m.on_unknown, 'ttlSeconds', m.ttl_seconds,
           'expiresAt', (extract(epoch from m.expires_at) * 1000)::bigint) as message,
         case when c.size > c.claimed then array_to_string(c.device_nos, ',') end as "deviceNos",
         case when c.size > c.claimed then array_to_string(c.person_nos, ',', 'null') end as "personNos",
         case when c.claimed = 0 then null
         when c.before = 0 and not c.is_retry then (
           select ${recipientsJson('0', 'false')}
           from unnest(c.device_nos[1:c.claimed], c.person_nos[1:c.claimed]) as r(device_no, person_no)
           ${joinDevices}
         ) else (
           select ${recipientsJson('coalesce(dl.attempts, c.leases - 1)', '(c.before > 0)')}
           from unnest(c.device_nos[1:c.claimed], c.person_nos[1:c.claimed]) as r(device_no, person_no)
           left join deliveries dl
             on dl.message_no = c.message_no and dl.device_no = r.device_no
           ${joinDevices}
           where dl.device_no is null or c.is_retry and ${isDue}
         ) end as recipients
  from leased c join messages m using (message_no)`

/** Whether the lane's pause holds, or the lease is for a trial that tells whether it still has to. */
export type LeaseScope = 'open-lanes' | 'paused-too'

const leaseTexts: Record<LeaseScope, { name: string; text: string }> = {
  'open-lanes': {
    name: 'lease-chunks',
    text: leaseText(
      '(ap.paused_at is null or m.expires_at <= now() or m.cancelled_at is not null)',
    ),
  },
  'paused-too': { name: 'lease-chunks-for-trial', text: leaseText('true') },
}

/**
 * Leases chunks and claims the first window of each, but for broadcasts, in one statement. A chunk
 * that somebody else holds, that is done, not due, or whose app is paused is not in the answer.
 */
export async function leaseChunks(
  sql: Sql,
  wanted: readonly { chunkNo: string; lease: string }[],
  window: number,
  scope: LeaseScope = 'open-lanes',
): Promise<LeasedChunk[]> {
  const { rows } = await sql.query<LeaseRow>({
    ...leaseTexts[scope],
    values: [wanted.map((chunk) => chunk.chunkNo), wanted.map((chunk) => chunk.lease), window],
  })
  return rows.map((row) => ({
    ...row,
    recipients: parseRecipients(row.recipients),
    deviceNos: listOf(row.deviceNos),
    personNos: listOf(row.personNos),
  }))
}

function listOf<Item>(text: string | null): Item[] {
  return text === null ? [] : JSON.parse(`[${text}]`)
}

/** What claiming needs to know of a leased chunk. */
export type Claimable = Pick<
  LeasedChunk,
  'chunkNo' | 'claimed' | 'isRetry' | 'deviceNos' | 'personNos'
>

/**
 * Claims the next window of a leased chunk, and renews a lease that would soon end. null: the lease
 * was lost, and nothing more of this chunk may be sent by its former holder.
 */
export async function claimWindow(
  sql: Sql,
  chunk: Claimable,
  lease: string,
  window: number,
): Promise<Recipient[] | null> {
  const { claimed, deviceNos, personNos } = chunk
  const { rows } = await sql.query<{ recipients: RecipientRow[] | null }>({
    name: chunk.isRetry ? 'claim-retry-window' : 'claim-window',
    text: chunk.isRetry ? claimRetryText : claimText,
    values: [
      chunk.chunkNo,
      lease,
      claimed,
      window,
      `{${deviceNos.slice(claimed, claimed + window).join(',')}}`,
      `{${personNos
        .slice(claimed, claimed + window)
        .map(String)
        .join(',')}}`,
    ],
  })
  const [row] = rows
  return row ? parseRecipients(row.recipients) : null
}

// The row's lists stay where they are, and so do its places in indexes, unless the lease has to be
// renewed: a window cost twice as much with either.
const claimedCte = `with claimed as (
    update chunks
    set claimed = least(size, claimed + $4::int),
        rescue_at = case when rescue_at < now() + interval '${leaseSeconds / 2} seconds'
                         then now() + interval '${leaseSeconds} seconds' else rescue_at end
    where chunk_no = $1 and lease = $2 and state = 'leased' and claimed = $3
    returning message_no, app_no, provider, due_at
  )`

const windowRows = 'unnest($5::bigint[], $6::bigint[]) as r(device_no, person_no)'

const claimText = `
  ${claimedCte}
  select (
    select ${recipientsJson('0', 'false')} from ${windowRows} ${joinDevices}
  ) as recipients
  from claimed c join messages m using (message_no)`

const claimRetryText = `
  ${claimedCte}
  select (
    select ${recipientsJson('dl.attempts', 'false')}
    from ${windowRows}
    join deliveries dl on dl.message_no = c.message_no and dl.device_no = r.device_no
    ${joinDevices}
    where ${isDue}
  ) as recipients
  from claimed c join messages m using (message_no)`
