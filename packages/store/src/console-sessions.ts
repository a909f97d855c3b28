import { hash, randomBytes } from 'node:crypto'
import type { Sql } from './connect.ts'
import { type KeyOwner, keyOwnerColumns } from './keys.ts'

/** Longest life of a session, and its longest rest, in seconds. */
export const sessionSeconds = 12 * 3600
export const sessionIdleSeconds = 3600

/** Sessions of one key at a time; a new one ends the oldest. */
const sessionsPerKeyMax = 20

/** Use is written down this often at most: a session is read with each request. */
const touchSeconds = 60

function hashOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/** Opens a session for a key and returns its secret, which is in the answer and nowhere else. */
export async function openSession(sql: Sql, keyId: string): Promise<string> {
  const secret = randomBytes(32).toString('base64url')
  await sql.query(
    `with surplus as (
       delete from console_sessions where session_hash in (
         select session_hash from console_sessions where key_id = $2
         order by created_at desc offset ${sessionsPerKeyMax - 1})
     )
     insert into console_sessions (session_hash, key_id, expires_at)
     values ($1, $2, now() + interval '${sessionSeconds} seconds')`,
    [hashOf(secret), keyId],
  )
  return secret
}

/** A session that holds, and whose. */
export interface ConsoleSession {
  owner: Extract<KeyOwner, { kind: 'secret' }>
  expiresAt: Date
}

// Read through the key: one that is revoked, or whose role changed, counts so at once.
const findText = `
  with found as materialized (
    select s.session_hash, s.used_at, s.expires_at, k.id as key_id
    from console_sessions s join api_keys k on k.id = s.key_id
    where s.session_hash = $1 and s.expires_at > now() and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > now())
      and k.kind = 'secret' and s.used_at > now() - interval '${sessionIdleSeconds} seconds'
  ), touched as (
    update console_sessions s set used_at = now()
    from found f
    where s.session_hash = f.session_hash and f.used_at < now() - interval '${touchSeconds} seconds'
  )
  select f.expires_at as "endsAt", ${keyOwnerColumns}
  from found f join api_keys k on k.id = f.key_id`

/** The session of this secret; null where there is none, it ran out, or its key was revoked. */
export async function findSession(sql: Sql, secret: string): Promise<ConsoleSession | null> {
  const { rows } = await sql.query<ConsoleSession['owner'] & { endsAt: Date }>({
    name: 'find-console-session',
    text: findText,
    values: [hashOf(secret)],
  })
  const [row] = rows
  if (!row) return null
  const { endsAt, ...owner } = row
  return { owner, expiresAt: endsAt }
}

/** Ends a session; ending it again is harmless. */
export async function closeSession(sql: Sql, secret: string): Promise<void> {
  await sql.query('delete from console_sessions where session_hash = $1', [hashOf(secret)])
}

/** Forgets sessions that ran out. */
export async function dropExpiredSessions(sql: Sql): Promise<void> {
  await sql.query('delete from console_sessions where expires_at < now()')
}
