import type { Provider } from '@pushkeep/domain'
import { sealContext } from './apps.ts'
import { type Database, inTransaction, type Sql } from './connect.ts'
import { type EncryptionKey, keysIn, seal, sealName, unseal } from './encryption.ts'
import { sealContext as identityContext } from './identity-keys.ts'

/** What sealing anew came to. */
export interface Resealed {
  /** Texts that are under the first key now and were not. */
  resealed: number
  /** Texts that none of the keys opens: the app's number, and which of its secrets. */
  unopened: { appNo: number; name: string }[]
}

/** Texts of one transaction: its locks are short, and a replacement in the meantime waits no longer. */
const batchSize = 100

interface Sealed {
  appNo: number
  name: string
  secret: Buffer
}

/** A table with sealed texts, and how each is bound to its row. */
interface Place {
  /** The next texts behind a place ($2, $3) that do not begin with the name of the first key ($1). */
  next: string
  write: string
  contextOf(row: Sealed): string
}

const credentials: Place = {
  next: `
    select app_no as "appNo", provider as name, secret from app_providers
    where (app_no, provider) > ($2, $3) and substring(secret for 4) <> $1
    order by app_no, provider limit ${batchSize} for update`,
  write: 'update app_providers set secret = $3 where app_no = $1 and provider = $2',
  contextOf: ({ appNo, name }) => sealContext(appNo, providerNamed(name)),
}

const identitySecrets: Place = {
  next: `
    select app_no as "appNo", kid as name, secret from identity_keys
    where (app_no, kid) > ($2, $3) and substring(secret for 4) <> $1
    order by app_no, kid limit ${batchSize} for update`,
  write: 'update identity_keys set secret = $3 where app_no = $1 and kid = $2',
  contextOf: ({ appNo, name }) => identityContext(appNo, name),
}

function providerNamed(name: string): Provider {
  return name === 'apns' ? 'apns' : 'fcm'
}

/**
 * Seals the provider credentials of all apps with the first key, where another one sealed them. What a worker has
 * opened stays as it is. One that breaks off goes on where it stood when it is called again.
 */
export function resealCredentials(database: Database, key: EncryptionKey): Promise<Resealed> {
  return resealAll(database, key, credentials)
}

/** The same for the shared secrets of identity tokens. */
export function resealIdentitySecrets(database: Database, key: EncryptionKey): Promise<Resealed> {
  return resealAll(database, key, identitySecrets)
}

async function resealAll(database: Database, key: EncryptionKey, place: Place): Promise<Resealed> {
  const all: Resealed = { resealed: 0, unopened: [] }
  let after = { appNo: 0, name: '' }
  for (;;) {
    const rows = await inTransaction(database, async (sql) => {
      const { rows } = await sql.query<Sealed>(place.next, [sealName(key), after.appNo, after.name])
      for (const row of rows) {
        const sealed = resealOne(key, row, place.contextOf(row))
        if (sealed === null) all.unopened.push({ appNo: row.appNo, name: row.name })
        else await sql.query(place.write, [row.appNo, row.name, sealed])
      }
      return rows
    })
    all.resealed += rows.length
    const last = rows.at(-1)
    if (!last || rows.length < batchSize) break
    after = last
  }
  return { ...all, resealed: all.resealed - all.unopened.length }
}

function resealOne(key: EncryptionKey, { secret }: Sealed, context: string): Buffer | null {
  try {
    return seal(key, unseal(key, secret, context), context)
  } catch {
    return null
  }
}

/** How many texts are under which key. */
export interface SealedTexts {
  /** The first key, which seals. */
  current: number
  /** Another one that is known here. */
  earlier: number
  /** None that is known here. */
  unknown: number
}

/** The provider credentials of all apps by the key that they are under. */
export function sealedCredentials(sql: Sql, key: EncryptionKey): Promise<SealedTexts> {
  return countSealed(sql, key, 'app_providers')
}

/** The shared secrets of identity tokens by the key that they are under. */
export function sealedIdentitySecrets(sql: Sql, key: EncryptionKey): Promise<SealedTexts> {
  return countSealed(sql, key, 'identity_keys')
}

async function countSealed(
  sql: Sql,
  key: EncryptionKey,
  table: 'app_providers' | 'identity_keys',
): Promise<SealedTexts> {
  const [current, ...earlier] = keysIn(key).map((one) => sealName(one))
  const { rows } = await sql.query<SealedTexts>(
    `select (count(*) filter (where name = $1))::int as current,
            (count(*) filter (where name = any($2::bytea[])))::int as earlier,
            (count(*) filter (where name <> $1 and name <> all($2::bytea[])))::int as unknown
     from (select substring(secret for 4) as name from ${table} where secret is not null) s`,
    [current, earlier],
  )
  return rows[0] ?? { current: 0, earlier: 0, unknown: 0 }
}
