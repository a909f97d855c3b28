import { hash, randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Sql } from './connect.ts'

/** `public` keys sit in a mobile app's binary; `secret` keys stay on the customer's servers. */
export type KeyKind = 'public' | 'secret'

const prefixes: Record<KeyKind, string> = { public: 'pk_', secret: 'sk_' }

/** What a key may look like: anything else is unknown without asking the database. */
export const keyPattern = /^[ps]k_[A-Za-z0-9_-]{16,200}$/

/** A new key: 256 random bits behind a prefix that tells its kind. */
export function generateKey(kind: KeyKind): string {
  return prefixes[kind] + randomBytes(32).toString('base64url')
}

/** How a key is stored and looked up. A key is random, so that one plain SHA-256 is enough. */
export function hashKey(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

export interface NewKey {
  workspaceNo: number
  /** The one app that the key is for; null: every app of the workspace. */
  appNo: number | null
  kind: KeyKind
  name: string
}

/** Creates a key. Its text is in the answer and nowhere else. */
export async function createKey(sql: Sql, key: NewKey): Promise<{ id: string; key: string }> {
  const id = uuidv7()
  const text = generateKey(key.kind)
  await sql.query(
    `insert into api_keys (key_hash, id, workspace_no, app_no, kind, name)
     values ($1, $2, $3, $4, $5, $6)`,
    [hashKey(text), id, key.workspaceNo, key.appNo, key.kind, key.name],
  )
  return { id, key: text }
}

/** Whom a key belongs to. */
export interface KeyOwner {
  workspaceNo: number
  appNo: number | null
  kind: KeyKind
}

/** The owners of keys by their hashes, in the same order; null where none is known or it is revoked. */
export async function findKeys(sql: Sql, hashes: readonly Buffer[]): Promise<(KeyOwner | null)[]> {
  const { rows } = await sql.query<{ found: Buffer } & KeyOwner>({
    name: 'find-keys',
    text: `select key_hash as found, workspace_no as "workspaceNo", app_no as "appNo", kind
           from api_keys where key_hash = any($1::bytea[]) and revoked_at is null`,
    values: [hashes],
  })
  const owners = new Map(rows.map(({ found, ...owner }) => [found.toString('hex'), owner]))
  return hashes.map((wanted) => owners.get(wanted.toString('hex')) ?? null)
}

/** Ends a key; false where the workspace has no such key, or it had ended. */
export async function revokeKey(
  sql: Sql,
  { workspaceNo, id }: { workspaceNo: number; id: string },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `update api_keys set revoked_at = now()
     where workspace_no = $1 and id = $2 and revoked_at is null`,
    [workspaceNo, id],
  )
  return rowCount === 1
}
