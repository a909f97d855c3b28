import { hash, randomBytes } from 'node:crypto'
import type { Role } from '@pushkeep/domain'
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

/**
 * How a key is stored and looked up, in hex: a map finds it so, without another form of it for each request.
 * A key is random, so that one plain SHA-256 is enough.
 */
export function hashKey(key: string): string {
  return hash('sha256', key, 'hex')
}

export interface NewKey {
  workspaceNo: number
  /** The one app that the key is for; null: every app of the workspace. */
  appNo: number | null
  kind: KeyKind
  name: string
  /** What a secret key may do, `operate` if left out; a public key has none. */
  role?: Role
}

/** Creates a key. Its text is in the answer and nowhere else. */
export async function createKey(sql: Sql, key: NewKey): Promise<{ id: string; key: string }> {
  const id = uuidv7()
  const text = generateKey(key.kind)
  const role = key.kind === 'secret' ? (key.role ?? 'operate') : null
  await sql.query(
    `insert into api_keys (key_hash, id, workspace_no, app_no, kind, name, role)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [Buffer.from(hashKey(text), 'hex'), id, key.workspaceNo, key.appNo, key.kind, key.name, role],
  )
  return { id, key: text }
}

/** Whom a key belongs to, and what it may do; a public key has no role. */
export type KeyOwner = {
  workspaceNo: number
  appNo: number | null
  keyId: string
  keyName: string
} & ({ kind: 'public'; role: null } | { kind: 'secret'; role: Role })

/** The select list of `KeyOwner`, from a key `k`. */
export const keyOwnerColumns = `
  k.workspace_no as "workspaceNo", k.app_no as "appNo", k.id as "keyId", k.name as "keyName", k.kind,
  k.role`

/** The owners of keys by their hashes, in the same order; null where none is known or it is revoked. */
export async function findKeys(sql: Sql, hashes: readonly string[]): Promise<(KeyOwner | null)[]> {
  const { rows } = await sql.query<{ found: string } & KeyOwner>({
    name: 'find-keys',
    text: `select encode(k.key_hash, 'hex') as found, ${keyOwnerColumns}
           from api_keys k where k.key_hash = any($1::bytea[]) and k.revoked_at is null`,
    values: [hashes.map((hash) => Buffer.from(hash, 'hex'))],
  })
  const owners = new Map(rows.map(({ found, ...owner }) => [found, owner]))
  return hashes.map((wanted) => owners.get(wanted) ?? null)
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

/** A key as it is listed; its text is nowhere. */
export interface ListedKey {
  id: string
  kind: KeyKind
  name: string
  /** null: a public key. */
  role: Role | null
  /** null: every app of the workspace. */
  appId: string | null
  createdAt: Date
  revokedAt: Date | null
}

/** Most keys that are listed; the newest of more. */
const listedKeysMax = 1000

/** The keys of a workspace, or those for one app of it, newest first. */
export async function keysOf(
  sql: Sql,
  { workspaceNo, appNo }: { workspaceNo: number; appNo: number | null },
): Promise<ListedKey[]> {
  const { rows } = await sql.query<ListedKey>(
    `select k.id, k.kind, k.name, k.role, a.id as "appId", k.created_at as "createdAt",
            k.revoked_at as "revokedAt"
     from api_keys k left join apps a on a.app_no = k.app_no
     where k.workspace_no = $1 and ($2::int is null or k.app_no = $2)
     order by k.created_at desc, k.id desc limit ${listedKeysMax}`,
    [workspaceNo, appNo],
  )
  return rows
}
