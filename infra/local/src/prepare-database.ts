import { readFile } from 'node:fs/promises'
import { connect, migrate, parseEncryptionKey } from '@pushkeep/store'
import { type Installation, installationName, type Secrets, saveSecrets } from './secrets.ts'
import { ensureCredentials, ensureInstallation, SimulatorCredentials } from './seed.ts'

export interface PrepareOptions {
  directory: string
  databaseUrl: string
  /** Whether the database is the directory's own. */
  isEmbedded: boolean
  secrets: Secrets
  encryptionKey: string
  /** The simulator's. */
  credentialsFile: string
}

/** Brings the database to where the services can start: schema, workspace, app, keys. */
export async function prepareDatabase(options: PrepareOptions): Promise<Installation> {
  const { databaseUrl, directory, secrets, encryptionKey, credentialsFile } = options
  const name = installationName(options.isEmbedded ? undefined : databaseUrl)
  if (options.isEmbedded) await ensureDatabase(databaseUrl)
  const credentials = SimulatorCredentials.parse(
    JSON.parse(await readFile(credentialsFile, 'utf8')),
  )
  const database = connect({ url: databaseUrl, name: 'local', connectionsMax: 3 })
  try {
    await migrate(database)
    const installation = await ensureInstallation(database, secrets.installations[name])
    const key = parseEncryptionKey(encryptionKey)
    await ensureCredentials(database, key, installation.app_id, credentials)
    const installations = { ...secrets.installations, [name]: installation }
    await saveSecrets(directory, { ...secrets, installations })
    return installation
  } finally {
    await database.end()
  }
}

/** Creates the database on the embedded server where it does not have it yet. */
async function ensureDatabase(databaseUrl: string): Promise<void> {
  const url = new URL(databaseUrl)
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  const server = connect({ url: url.href, name: 'local', connectionsMax: 1 })
  try {
    const { rows } = await server.query('select from pg_database where datname = $1', [name])
    if (rows.length === 0) await server.query(`create database "${name}"`)
  } finally {
    await server.end()
  }
}
