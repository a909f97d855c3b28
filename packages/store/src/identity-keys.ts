import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import type { IdentityAlgorithm, IdentityMode } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { type EncryptionKey, seal, unseal } from './encryption.ts'

/** Shortest secret for HS256, in bytes: as long as its hash. */
const secretBytesMin = 32

/** Shortest RSA modulus in bits. */
const rsaBitsMin = 2048

/** A new key of an app's backend: a public one as PEM, or a shared secret. */
export interface NewIdentityKey {
  appNo: number
  kid: string
  algorithm: IdentityAlgorithm
  key: string
}

/** Reads key material for one algorithm, or says what is wrong with it without repeating it. */
export function readIdentityKey(
  algorithm: IdentityAlgorithm,
  text: string,
): { kind: 'key'; key: KeyObject } | { kind: 'problem'; message: string } {
  if (algorithm === 'HS256') {
    const bytes = Buffer.from(text)
    if (bytes.length < secretBytesMin) return problem(`must be at least ${secretBytesMin} bytes`)
    return { kind: 'key', key: createSecretKey(bytes) }
  }
  // Node would make the public key of a private one, and nobody would see that it was given away.
  if (/PRIVATE KEY/.test(text)) return problem('is a private key: give the public one')
  let key: KeyObject
  try {
    key = createPublicKey(text)
  } catch {
    return problem('must be a public key as PEM')
  }
  const message = unfit(algorithm, key)
  return message === null ? { kind: 'key', key } : problem(message)
}

function problem(message: string) {
  return { kind: 'problem', message } as const
}

function unfit(algorithm: Exclude<IdentityAlgorithm, 'HS256'>, key: KeyObject): string | null {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  switch (algorithm) {
    case 'ES256':
      return type === 'ec' && details.namedCurve === 'prime256v1' ? null : 'must be a P-256 key'
    case 'EdDSA':
      return type === 'ed25519' ? null : 'must be an Ed25519 key'
    case 'RS256':
      if (type !== 'rsa') return 'must be an RSA key'
      return (details.modulusLength ?? 0) >= rsaBitsMin
        ? null
        : `must have at least ${rsaBitsMin} bits`
  }
}

export function sealContext(appNo: number, kid: string): string {
  return `identity|${appNo}|${kid}`
}

/** Adds a key or replaces the one of the same `kid`. A shared secret is sealed with `sealKey`. */
export async function putIdentityKey(
  sql: Sql,
  { appNo, kid, algorithm, key }: NewIdentityKey,
  sealKey: EncryptionKey | null,
): Promise<void> {
  const isShared = algorithm === 'HS256'
  if (isShared && sealKey === null)
    throw new Error('a shared secret is stored sealed or not at all')
  await sql.query(
    `insert into identity_keys (app_no, kid, algorithm, public_key, secret)
     values ($1, $2, $3, $4, $5)
     on conflict (app_no, kid) do update
     set algorithm = excluded.algorithm, public_key = excluded.public_key,
         secret = excluded.secret, created_at = now()`,
    [
      appNo,
      kid,
      algorithm,
      isShared ? null : key,
      isShared && sealKey ? seal(sealKey, key, sealContext(appNo, kid)) : null,
    ],
  )
}

/** Takes a key away; false where the app has none of this name. */
export async function deleteIdentityKey(sql: Sql, appNo: number, kid: string): Promise<boolean> {
  const { rowCount } = await sql.query('delete from identity_keys where app_no = $1 and kid = $2', [
    appNo,
    kid,
  ])
  return rowCount === 1
}

/** Says whether an app asks for identity tokens. */
export async function setIdentityMode(sql: Sql, appNo: number, mode: IdentityMode): Promise<void> {
  await sql.query('update apps set identity_mode = $2 where app_no = $1', [appNo, mode])
}

/** The identity modes of a workspace's apps, by their numbers. */
export async function identityModesOf(
  sql: Sql,
  workspaceNo: number,
): Promise<Map<number, IdentityMode>> {
  const { rows } = await sql.query<{ appNo: number; mode: IdentityMode }>({
    name: 'identity-modes-of-workspace',
    text: `select app_no as "appNo", identity_mode as mode from apps where workspace_no = $1`,
    values: [workspaceNo],
  })
  return new Map(rows.map(({ appNo, mode }) => [appNo, mode]))
}

/** A key as it is stored. */
export interface StoredIdentityKey {
  kid: string
  algorithm: IdentityAlgorithm
  /** null: a shared secret. */
  publicKey: string | null
  /** A sealed secret; null: a public key. */
  secret: Buffer | null
  createdAt: Date
}

/** What an app asks for, and the keys that its tokens are checked with, oldest first. */
export interface AppIdentity {
  appNo: number
  appId: string
  mode: IdentityMode
  keys: StoredIdentityKey[]
}

/** An app and one of its keys; without a name where it has none. */
interface IdentityRow extends Omit<AppIdentity, 'keys'>, Omit<StoredIdentityKey, 'kid'> {
  kid: string | null
}

/** What the apps of a workspace ask for. */
export async function identitiesOf(sql: Sql, workspaceNo: number): Promise<AppIdentity[]> {
  const { rows } = await sql.query<IdentityRow>({
    name: 'identities-of-workspace',
    text: `select a.app_no as "appNo", a.id as "appId", a.identity_mode as mode,
                  k.kid, k.algorithm, k.public_key as "publicKey", k.secret,
                  k.created_at as "createdAt"
           from apps a left join identity_keys k using (app_no)
           where a.workspace_no = $1 order by a.app_no, k.created_at, k.kid`,
    values: [workspaceNo],
  })
  const apps = new Map<number, AppIdentity>()
  for (const { appNo, appId, mode, kid, ...key } of rows) {
    const app = apps.get(appNo) ?? { appNo, appId, mode, keys: [] }
    apps.set(appNo, app)
    if (kid !== null) app.keys.push({ kid, ...key })
  }
  return [...apps.values()]
}

/**
 * The key to check with. null: it cannot be had, because it is a shared secret and this process has
 * no key to open it, or another one.
 */
export function openIdentityKey(
  appNo: number,
  { kid, algorithm, publicKey, secret }: StoredIdentityKey,
  sealKey: EncryptionKey | null,
): KeyObject | null {
  const text = publicKey ?? unsealed(appNo, kid, secret, sealKey)
  if (text === null) return null
  const read = readIdentityKey(algorithm, text)
  return read.kind === 'key' ? read.key : null
}

function unsealed(
  appNo: number,
  kid: string,
  secret: Buffer | null,
  sealKey: EncryptionKey | null,
): string | null {
  if (secret === null || sealKey === null) return null
  try {
    return unseal(sealKey, secret, sealContext(appNo, kid))
  } catch {
    return null
  }
}
