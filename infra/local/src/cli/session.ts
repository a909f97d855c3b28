import {
  capSettings,
  connect,
  type Database,
  type EncryptionKey,
  indexedSettings,
  parseEncryptionKey,
} from '@pushkeep/store'
import { localDirectory, pathsOf, readJson } from '../directory.ts'
import { readLocal } from '../local.ts'
import { Secrets } from '../secrets.ts'
import { Failure } from './failure.ts'

export type Env = Record<string, string | undefined>

/** What a command works with. */
export interface Session {
  database: Database
  /** Seals provider credentials; fails where there is no key. */
  encryptionKey(): Promise<EncryptionKey>
  /** Seals the secrets of identity tokens; fails where there is no key. */
  identityKey(): Promise<EncryptionKey>
}

/** What a command says: a text for people, or the same as JSON. */
export interface Answer {
  text: string
  json: unknown
  /** What people should know beside the text, on the standard error: scripts read the text. Not with JSON. */
  note?: string
  /** 0 if left out; 1: it was done, and something is not as it should be. */
  exitCode?: 0 | 1
  /** It was said while it was made: the standard output has it. */
  isSaid?: true
}

/** Runs a command with a session and says what it answers. */
export type Run = (
  work: (session: Session) => Promise<Answer>,
  options?: { connections?: number },
) => Promise<void>

/** Runs `work` with the database of the environment, or of the installation that runs here. */
export async function withSession(
  env: Env,
  work: (session: Session) => Promise<Answer>,
  connectionsMax = 2,
): Promise<Answer> {
  const database = connect({
    url: await databaseUrl(env),
    name: 'pushkeep cli',
    connectionsMax,
    // An operator's import is taken as it is.
    settings: { ...indexedSettings, ...capSettings({ personDevices: 0, personAttributes: 0 }) },
  })
  try {
    return await work({
      database,
      encryptionKey: () => encryptionKeyOf(env),
      identityKey: () => keyFrom(env, 'PUSHKEEP_IDENTITY_KEY', 'identity_key'),
    })
  } finally {
    await database.end()
  }
}

/** Where the database is; fails where nothing says so. */
export async function databaseUrl(env: Env): Promise<string> {
  const url = env.DATABASE_URL || (await readLocal(localDirectory(env)))?.database_url
  if (!url) throw new Failure('no database: set DATABASE_URL, or run ./scripts/start first')
  if (!URL.canParse(url)) throw new Failure('DATABASE_URL is not a URL')
  return url
}

/** The key that credentials are sealed with; fails where there is none. */
export function encryptionKeyOf(env: Env): Promise<EncryptionKey> {
  return keyFrom(env, 'PUSHKEEP_ENCRYPTION_KEY', 'encryption_key')
}

async function keyFrom(
  env: Env,
  variable: 'PUSHKEEP_ENCRYPTION_KEY' | 'PUSHKEEP_IDENTITY_KEY',
  name: 'encryption_key' | 'identity_key',
): Promise<EncryptionKey> {
  const stored = env[variable] || (await keyOfDirectory(localDirectory(env), name))
  if (!stored) throw new Failure(`no key to seal with: set ${variable}`)
  try {
    return parseEncryptionKey(stored)
  } catch {
    throw new Failure(
      `${variable} must be 32 random bytes in base64, or up to three such by commas`,
    )
  }
}

async function keyOfDirectory(
  directory: string,
  name: 'encryption_key' | 'identity_key',
): Promise<string | null> {
  return Secrets.safeParse(await readJson(pathsOf(directory).secrets)).data?.[name] ?? null
}
