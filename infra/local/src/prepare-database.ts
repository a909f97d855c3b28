import { readFile } from 'node:fs/promises'
import { strictestMode } from '@pushkeep/domain'
import { prepareQueues } from '@pushkeep/queues'
import {
  connect,
  createLoginRoles,
  type Database,
  type DatabaseProgram,
  findWorkspace,
  identityModesOf,
  loginRoleName,
  loginUrl,
  migrate,
  parseEncryptionKey,
} from '@pushkeep/store'
import { type Installation, installationName, type Secrets, saveSecrets } from './secrets.ts'
import { ensureCredentials, ensureInstallation, SimulatorCredentials } from './seed.ts'

export interface PrepareOptions {
  directory: string
  databaseUrl: string
  /** Whether the database is the directory's own. */
  isEmbedded: boolean
  secrets: Secrets & { role_passwords: Record<DatabaseProgram, string> }
  encryptionKey: string
  /** The simulator's. */
  credentialsFile: string
  /** undefined: the queues are in this database. */
  redisUrl: string | undefined
}

/** What there is once the database is ready. */
export interface Prepared {
  installation: Installation
  /** Whether the public keys of the installation's workspace name people without an identity token. */
  isOpen: boolean
  /** What each program connects with. */
  databaseUrls: Record<DatabaseProgram, string>
}

/** Brings the database to where the services can start: schema, roles, workspace, app, keys. */
export async function prepareDatabase(options: PrepareOptions): Promise<Prepared> {
  const { databaseUrl, directory, secrets, encryptionKey, credentialsFile } = options
  const name = installationName(options.isEmbedded ? undefined : databaseUrl)
  if (options.isEmbedded) await ensureDatabase(databaseUrl)
  const credentials = SimulatorCredentials.parse(
    JSON.parse(await readFile(credentialsFile, 'utf8')),
  )
  const database = connect({ url: databaseUrl, name: 'local', connectionsMax: 3 })
  try {
    await migrate(database)
    if (options.redisUrl === undefined) await prepareQueues({ kind: 'postgres', url: databaseUrl })
    const installation = await ensureInstallation(database, secrets.installations[name])
    const key = parseEncryptionKey(encryptionKey)
    await ensureCredentials(database, key, installation.app_id, credentials)
    const installations = { ...secrets.installations, [name]: installation }
    await saveSecrets(directory, { ...secrets, installations })
    const databaseUrls = await programUrls(database, databaseUrl, secrets.role_passwords)
    return { installation, isOpen: await isOpen(database, installation), databaseUrls }
  } finally {
    await database.end()
  }
}

async function isOpen(database: Database, { workspace_id: id }: Installation): Promise<boolean> {
  const workspace = await findWorkspace(database, id)
  if (!workspace) return false
  const modes = await identityModesOf(database, workspace.workspaceNo)
  return strictestMode([...modes.values()]) !== 'required'
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

/** insufficient_privilege */
const notAllowed = '42501'

/**
 * What each program connects with: a role of its own, or the owner's URL where this one may not create
 * roles. `pushkeep doctor` tells which it is.
 */
async function programUrls(
  database: Database,
  ownerUrl: string,
  passwords: Record<DatabaseProgram, string>,
): Promise<Record<DatabaseProgram, string>> {
  const databaseName = decodeURIComponent(new URL(ownerUrl).pathname.slice(1))
  const roleOf = (program: DatabaseProgram) => ({
    program,
    name: loginRoleName(databaseName, program),
    password: passwords[program],
  })
  const roles = {
    registry: roleOf('registry'),
    sender: roleOf('sender'),
    workers: roleOf('workers'),
    admin: roleOf('admin'),
  }
  try {
    await createLoginRoles(database, Object.values(roles))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === notAllowed)) throw error
    return { registry: ownerUrl, sender: ownerUrl, workers: ownerUrl, admin: ownerUrl }
  }
  return {
    registry: loginUrl(ownerUrl, roles.registry),
    sender: loginUrl(ownerUrl, roles.sender),
    workers: loginUrl(ownerUrl, roles.workers),
    admin: loginUrl(ownerUrl, roles.admin),
  }
}
