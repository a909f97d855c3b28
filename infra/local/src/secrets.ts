import { createHash, randomBytes } from 'node:crypto'
import { type DatabaseProgram, databasePrograms, newRolePassword } from '@pushkeep/store'
import { z } from 'zod'
import { pathsOf, readJson, writePrivateJson } from './directory.ts'
import { newPassword } from './postgres.ts'

/** What the first run made in a database. The keys stand here, since it holds only their hashes. */
export const Installation = z.object({
  workspace_id: z.string(),
  app_id: z.string(),
  secret_key: z.string(),
  public_key: z.string(),
  /** Of an operator of the installation. Directories of older versions have none yet. */
  installation_key: z.string().optional(),
})

export type Installation = z.infer<typeof Installation>

export const Secrets = z.object({
  database_password: z.string(),
  redis_password: z.string(),
  encryption_key: z.string(),
  /** Seals the secrets of identity tokens. Directories of older versions have none yet. */
  identity_key: z.string().optional(),
  /** Of the roles that programs log in with. Directories of older versions have none yet. */
  role_passwords: z.record(z.enum(databasePrograms), z.string()).optional(),
  /** By database: one directory may be used with several. */
  installations: z.record(z.string(), Installation),
})

export type Secrets = z.infer<typeof Secrets>

type RolePasswords = Record<DatabaseProgram, string>

const newRolePasswords = (): RolePasswords => ({
  registry: newRolePassword(),
  sender: newRolePassword(),
  workers: newRolePassword(),
  admin: newRolePassword(),
})

const newKey = () => randomBytes(32).toString('base64')

/** The secrets of earlier runs, or new ones. */
export async function loadSecrets(
  directory: string,
): Promise<Secrets & { identity_key: string; role_passwords: RolePasswords }> {
  const stored = await readJson(pathsOf(directory).secrets)
  if (stored !== null) {
    const secrets = Secrets.parse(stored)
    return {
      ...secrets,
      identity_key: secrets.identity_key ?? newKey(),
      role_passwords: secrets.role_passwords ?? newRolePasswords(),
    }
  }
  const secrets = {
    database_password: newPassword(),
    redis_password: newPassword(),
    encryption_key: newKey(),
    identity_key: newKey(),
    role_passwords: newRolePasswords(),
    installations: {},
  }
  await saveSecrets(directory, secrets)
  return secrets
}

/** Writes them down for the next run. */
export async function saveSecrets(directory: string, secrets: Secrets): Promise<void> {
  await writePrivateJson(pathsOf(directory).secrets, secrets)
}

/** The name of a database in `installations`: tells nothing of its address or password. */
export function installationName(databaseUrl: string | undefined): string {
  if (databaseUrl === undefined) return 'embedded'
  const { host, pathname } = new URL(databaseUrl)
  return createHash('sha256').update(`${host}${pathname}`).digest('hex').slice(0, 16)
}
