import { hash } from 'node:crypto'
import type { IdentityMode, IdentityProof } from '@pushkeep/domain'
import type { Sql } from '@pushkeep/store'
import {
  type AppIdentity,
  type EncryptionKey,
  identitiesOf,
  openIdentityKey,
} from '@pushkeep/store'
import {
  type Checked,
  type CheckKey,
  checkIdentityToken,
  leewaySeconds,
  lifetimeDaysUsual,
} from './verify.ts'

/** An app as identity tokens are checked for it. */
export interface AppKeys {
  appNo: number
  appId: string
  mode: IdentityMode
  /** Whether tokens can be for this app at all. */
  hasKeys: boolean
  check(token: string, now: number): Promise<IdentityProof> | IdentityProof
}

/** Finds what the apps of a workspace ask for. */
export type Keyring = (workspaceNo: number) => Promise<AppKeys[]> | AppKeys[]

export interface KeyringOptions {
  database: Sql
  /** Opens shared secrets; null where none was given. */
  sealKey: EncryptionKey | null
  /** Longest that a token may still be good, in days; the usual if left out. */
  lifetimeDaysMax?: number | undefined
  /** How long an answer of the database counts: a key that was taken away works that much longer. */
  ttlMs?: number
  /** Monotonic time in milliseconds. */
  now?: () => number
}

interface Entry {
  apps: AppKeys[]
  /** What the keys of each app were when they were last looked up. */
  versions: Map<number, string>
  until: number
}

const workspacesMax = 10_000

/** Remembers keys for five seconds, and what they said of tokens for as long as they stay the same. */
export function createKeyring(options: KeyringOptions): Keyring {
  const { database, sealKey, ttlMs = 5000, now = () => performance.now() } = options
  const lifetimeDaysMax = options.lifetimeDaysMax ?? lifetimeDaysUsual
  const entries = new Map<number, Entry>()
  const pending = new Map<number, Promise<AppKeys[]>>()

  async function load(workspaceNo: number): Promise<AppKeys[]> {
    const identities = await identitiesOf(database, workspaceNo)
    const before = entries.get(workspaceNo)
    const versions = new Map(identities.map((app) => [app.appNo, versionOf(app)]))
    const apps = identities.map((app) => {
      const same = before?.apps.find(({ appNo }) => appNo === app.appNo)
      const isSame = same && before?.versions.get(app.appNo) === versions.get(app.appNo)
      return isSame ? { ...same, mode: app.mode } : appKeys(app, sealKey, lifetimeDaysMax)
    })
    makeRoom(entries, workspacesMax)
    entries.set(workspaceNo, { apps, versions, until: now() + ttlMs })
    return apps
  }

  return (workspaceNo) => {
    const entry = entries.get(workspaceNo)
    if (entry && entry.until > now()) return entry.apps
    const running = pending.get(workspaceNo)
    if (running !== undefined) return running
    const started = load(workspaceNo).finally(() => pending.delete(workspaceNo))
    pending.set(workspaceNo, started)
    return started
  }
}

function versionOf({ keys }: AppIdentity): string {
  return keys.map(({ kid, createdAt }) => `${kid} ${createdAt.getTime()}`).join('\n')
}

function appKeys(
  { appNo, appId, mode, keys }: AppIdentity,
  sealKey: EncryptionKey | null,
  lifetimeDaysMax: number,
): AppKeys {
  const checkKeys = keys.map(
    (key): CheckKey => ({
      kid: key.kid,
      algorithm: key.algorithm,
      key: openIdentityKey(appNo, key, sealKey),
    }),
  )
  return {
    appNo,
    appId,
    mode,
    hasKeys: checkKeys.length > 0,
    check: rememberingCheck(checkKeys, appId, lifetimeDaysMax),
  }
}

/** Most tokens that are remembered for an app, good ones and bad ones each. */
const tokensMax = 10_000

/**
 * A signature takes a tenth of a millisecond to check, and a phone sends the same token for an hour.
 * Bad ones are remembered apart, so that guessing cannot push good ones out.
 */
function rememberingCheck(
  keys: readonly CheckKey[],
  appId: string,
  lifetimeDaysMax: number,
): AppKeys['check'] {
  const good = new Map<string, Extract<Checked, { kind: 'proven' }>>()
  const bad = new Map<string, Extract<Checked, { kind: 'doubtful' }>>()
  return (token, now) => {
    const id = hash('sha256', token, 'base64')
    const known = good.get(id)
    if (known && now < known.expiresAt + leewaySeconds * 1000) return known
    good.delete(id)
    return bad.get(id) ?? check(token, id, now)
  }

  async function check(token: string, id: string, now: number): Promise<IdentityProof> {
    const checked = await checkIdentityToken({ token, keys, appId, now, lifetimeDaysMax })
    if (checked.kind === 'proven') {
      makeRoom(good, tokensMax)
      good.set(id, checked)
    } else if (isFinal(checked)) {
      makeRoom(bad, tokensMax)
      bad.set(id, checked)
    }
    return checked
  }
}

/** Whether the same token can never become good under the same keys. */
function isFinal({ doubt }: Extract<Checked, { kind: 'doubtful' }>): boolean {
  return doubt !== 'not_yet_valid' && doubt !== 'too_long' && doubt !== 'key_unavailable'
}

function makeRoom(map: Map<unknown, unknown>, max: number): void {
  if (map.size < max) return
  const [oldest] = map.keys()
  map.delete(oldest)
}
