import type { Role } from '@pushkeep/domain'
import { v7 as uuidv7 } from 'uuid'
import type { Sql } from './connect.ts'
import { generateKey, hashKey, type KeyKind } from './key-text.ts'

export interface NewKey {
  workspaceNo: number
  /** The one app that the key is for; null: every app of the workspace. */
  appNo: number | null
  kind: KeyKind
  name: string
  /** What a secret key may do, `operate` if left out; a public key has none. */
  role?: Role
  /** Of an operator of the whole installation: a secret key of a workspace that may do more. */
  isInstallation?: boolean
  /** When it ends; null or left out: when it is revoked. */
  expiresAt?: Date | null
  /** Addresses and networks that it may be used from; null or left out: any. */
  allowedAddresses?: readonly string[] | null
}

/** Creates a key. Its text is in the answer and nowhere else. */
export async function createKey(sql: Sql, key: NewKey): Promise<{ id: string; key: string }> {
  const id = uuidv7()
  const text = generateKey(key.kind)
  const role = key.kind === 'secret' ? (key.role ?? 'operate') : null
  await sql.query(
    `insert into api_keys (key_hash, id, workspace_no, app_no, kind, name, role, is_installation,
                           expires_at, allowed_addresses)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      Buffer.from(hashKey(text), 'hex'),
      id,
      key.workspaceNo,
      key.appNo,
      key.kind,
      key.name,
      role,
      key.isInstallation ?? false,
      key.expiresAt ?? null,
      key.allowedAddresses ?? null,
    ],
  )
  return { id, key: text }
}

/** Until when and from where a key works. */
export interface KeyTerms {
  /** null: until it is revoked. */
  expiresAt: Date | null
  /** Addresses and networks, canonical; null: from anywhere. */
  allowedAddresses: readonly string[] | null
}

/** Who holds a key, and what it may do; a public key has no role. */
export type KeyOwner = KeyTerms & {
  workspaceNo: number
  appNo: number | null
  keyId: string
  keyName: string
  /** Of an operator of the whole installation. */
  isInstallation: boolean
} & ({ kind: 'public'; role: null } | { kind: 'secret'; role: Role })

/** The select list of `KeyOwner`, from a key `k`. */
export const keyOwnerColumns = `
  k.workspace_no as "workspaceNo", k.app_no as "appNo", k.id as "keyId", k.name as "keyName", k.kind,
  k.role, k.is_installation as "isInstallation", k.expires_at as "expiresAt",
  k.allowed_addresses as "allowedAddresses"`

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

/** An operator of the installation, as its key tells. */
export interface InstallationOperator {
  id: string
  workspaceNo: number
  name: string
  role: Role
  allowedAddresses: readonly string[] | null
}

/** The operator whose key has this hash; null where none of the installation has, or it ended. */
export async function findInstallationKey(
  sql: Sql,
  hash: string,
): Promise<InstallationOperator | null> {
  const { rows } = await sql.query<InstallationOperator>({
    name: 'find-installation-key',
    text: `select id, workspace_no as "workspaceNo", name, role,
                  allowed_addresses as "allowedAddresses"
           from installation_key($1)`,
    values: [Buffer.from(hash, 'hex')],
  })
  return rows[0] ?? null
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
  isInstallation: boolean
  expiresAt: Date | null
  allowedAddresses: readonly string[] | null
  /** To the minute; null: it never was, or not since this is written down. */
  usedAt: Date | null
  /** When a secret key last came from a browser or a mobile app; null: it did not. */
  exposedAt: Date | null
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
            k.revoked_at as "revokedAt", k.is_installation as "isInstallation",
            k.expires_at as "expiresAt", k.allowed_addresses as "allowedAddresses",
            u.used_at as "usedAt", u.exposed_at as "exposedAt"
     from api_keys k
     left join apps a on a.app_no = k.app_no
     left join key_uses u on u.key_id = k.id
     where k.workspace_no = $1 and ($2::int is null or k.app_no = $2)
     order by k.created_at desc, k.id desc limit ${listedKeysMax}`,
    [workspaceNo, appNo],
  )
  return rows
}
