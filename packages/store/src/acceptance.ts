import type { AudienceInput, Lane, MessageContent, NewMessage } from '@pushkeep/domain'
import { v7 as uuidv7 } from 'uuid'
import type { Actor } from './audit-log.ts'
import { type CoalescedRun, coalesce } from './coalesce.ts'
import type { Database, Sql } from './connect.ts'
import { explicitChunks, recipientsOf } from './planning.ts'

/** A message as it is to be accepted. */
export interface AcceptedMessage {
  workspaceNo: number
  /** null: every app of the workspace. */
  appNo: number | null
  message: NewMessage
  lane: Lane
  /** Plan it in the same statement: the audience is a short list, and it is due now. */
  planNow: boolean
  idempotency: { key: string; bodyHash: Buffer } | null
  /** The attributes of the person that its templates read; null or left out: it has none. */
  personKeys?: readonly string[] | null
  /** Who sends it, where the audit log is to tell: it goes to everyone, or to many. */
  actor?: Actor | null
  /** The trace that delivering it is to belong to (W3C `traceparent`), if there is one. */
  traceparent?: string | null
}

export type Acceptance =
  | { kind: 'accepted'; id: string }
  /** The same key and body came before. */
  | { kind: 'repeated'; id: string }
  /** The same key came before with another body. */
  | { kind: 'conflict' }

/**
 * Accepts messages; calls that come together share a statement. An answer comes when its message is
 * committed.
 */
export function createAcceptor(
  database: Database,
  onRun: (run: CoalescedRun) => void = () => {},
): (accepted: AcceptedMessage) => Promise<Acceptance> {
  return coalesce<AcceptedMessage, Acceptance>({
    run: (all) => acceptMessages(database, all),
    sizeMax: 64,
    runsMax: 2,
    waitingMax: 10_000,
    weightOf: ({ message: { to } }) => Math.ceil(listed(to) / namesPerMessage),
    onRun,
  })
}

/** A message that names so many people or tokens counts for one more, where calls share a statement. */
const namesPerMessage = 10

function listed({ person_ids, tokens }: AudienceInput): number {
  return Math.max(1, person_ids?.length ?? tokens?.length ?? 1)
}

/** Accepts one message, also in a transaction. */
export async function acceptMessage(sql: Sql, accepted: AcceptedMessage): Promise<Acceptance> {
  const [acceptance] = await acceptMessages(sql, [accepted])
  if (!acceptance) throw new Error('a message has no answer')
  return acceptance
}

/**
 * Stores messages, their idempotency keys and their doorbells in one statement: all are committed when
 * this returns, or none; tell the relays then (`Bell`). Short audiences are planned here too, which
 * spares one-person messages a hop.
 */
async function acceptMessages(sql: Sql, all: readonly AcceptedMessage[]): Promise<Acceptance[]> {
  const named = all.map((accepted) => ({ id: uuidv7(), accepted }))
  const { rows } = await sql.query<{ id: string }>({
    name: 'accept-messages',
    text: acceptText,
    values: [JSON.stringify(named.map(rowOf))],
  })
  const stored = new Set(rows.map(({ id }) => id))
  const acceptances: Acceptance[] = []
  for (const { id, accepted } of named) {
    acceptances.push(stored.has(id) ? { kind: 'accepted', id } : await earlier(sql, accepted))
  }
  return acceptances
}

/** What came before under the same key. */
async function earlier(sql: Sql, accepted: AcceptedMessage): Promise<Acceptance> {
  const { idempotency, workspaceNo } = accepted
  if (!idempotency) throw new Error('a message without a key was not stored')
  const { rows } = await sql.query<{ message_id: string; body_hash: Buffer }>(
    `select message_id, body_hash from idempotency_keys where workspace_no = $1 and key = $2`,
    [workspaceNo, idempotency.key],
  )
  const [prior] = rows
  // Removed by retention between the two statements: the key is free again.
  if (!prior) return acceptMessage(sql, accepted)
  return prior.body_hash.equals(idempotency.bodyHash)
    ? { kind: 'repeated', id: prior.message_id }
    : { kind: 'conflict' }
}

/** A push that is worth nothing later (`ttl_seconds` 0) still gets half a minute to leave here. */
export function timeToLive(seconds: string): string {
  return `make_interval(secs => greatest(${seconds}, 30))`
}

// Of messages with one key the first is stored.
const acceptText = `
  with given as materialized (
    select g.*, case when not g.plan_now and to_timestamp(g.at_ms / 1000) > now()
                     then to_timestamp(g.at_ms / 1000) end as send_at
    from json_to_recordset($1) as g(
      id uuid, workspace_no int, app_no int, audience jsonb, content jsonb, priority text,
      collapse_id text, on_unknown text, ttl_seconds int, key text, body_hash text, lane text,
      plan_now boolean, person_ids text[], token_hashes uuid[], at_ms float8, traceparent text,
      person_keys text[], key_id uuid, key_name text, role text, address text, reach text)
  ), claimed as (
    insert into idempotency_keys (workspace_no, key, body_hash, message_id)
    select workspace_no, key, decode(body_hash, 'hex'), id from given where key is not null
    order by workspace_no, key, id
    on conflict do nothing
    returning message_id
  ), message as (
    insert into messages (id, workspace_no, app_no, audience, content, priority, collapse_id,
                          on_unknown, ttl_seconds, lane, send_at, expires_at, planned_at, traceparent,
                          person_keys)
    select id, workspace_no, app_no, audience, content, priority, collapse_id, on_unknown, ttl_seconds,
           lane, send_at, coalesce(send_at, now()) + ${timeToLive('ttl_seconds')},
           case when plan_now then now() end, traceparent, person_keys
    from given
    where key is null or id in (select message_id from claimed)
    returning message_no, id, app_no, workspace_no, lane, audience, planned_at,
              coalesce(send_at, now()) as due_at
  ), addressed as (
    select m.*, g.person_ids, g.token_hashes
    from message m join given g using (id) where g.plan_now
  ), ${explicitChunks}, counted as (
    insert into message_counts (message_no, recipients)
    select message_no, coalesce(c.recipients, 0)
    from message
    left join (select message_no, sum(size) as recipients from chunk group by message_no) c
      using (message_no)
  ), rung as (
    insert into outbox (queue, ref, due_at)
    select provider || '-' || lane, chunk_no, now() from chunk
    union all
    select 'plan', message_no, due_at from message where planned_at is null
  ), noted as (
    insert into audit_log (workspace_no, key_id, key_name, role, action, app_no, target_kind, target,
                           detail, address)
    select m.workspace_no, g.key_id, g.key_name, g.role, 'message.broadcast', m.app_no, 'message',
           m.id::text, jsonb_build_object('to', g.reach), g.address
    from message m join given g using (id) where g.reach is not null
    order by m.workspace_no
  )
  select id from message`

/** A message as JSON; what is null is left out. */
function rowOf({ id, accepted }: { id: string; accepted: AcceptedMessage }) {
  const { message, idempotency, planNow, personKeys, actor } = accepted
  const content: MessageContent = {
    content: message.content,
    apns: message.apns,
    fcm: message.fcm,
    ...(personKeys && { trigger: message.trigger ?? {} }),
  }
  const names = planNow ? recipientsOf(message.to) : null
  return {
    id,
    workspace_no: accepted.workspaceNo,
    app_no: accepted.appNo ?? undefined,
    audience: message.to,
    content,
    priority: message.priority,
    collapse_id: message.collapse_id ?? id,
    on_unknown: message.on_unknown,
    ttl_seconds: message.ttl_seconds,
    key: idempotency?.key,
    body_hash: idempotency?.bodyHash.toString('hex'),
    lane: accepted.lane,
    plan_now: planNow,
    person_ids: names?.personIds,
    token_hashes: names?.tokenHashes,
    at_ms: message.send_at ?? undefined,
    traceparent: accepted.traceparent ?? undefined,
    person_keys: personKeys ?? undefined,
    ...(actor && {
      key_id: actor.key?.id,
      key_name: actor.key?.name,
      role: actor.key?.role ?? undefined,
      address: actor.address ?? undefined,
      reach: message.to.all ? 'all' : String(listed(message.to)),
    }),
  }
}
