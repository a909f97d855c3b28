import { setTimeout as wait } from 'node:timers/promises'
import type { CredentialFinding, Provider } from '@pushkeep/domain'
import {
  type ApnsCredentials,
  checkApns,
  checkFcm,
  type Endpoints,
  type FcmCredentials,
  parseApnsCredentials,
  parseFcmCredentials,
} from '@pushkeep/providers'
import { scrub } from '@pushkeep/runtime'
import {
  type App,
  type AppProvider,
  appsOf,
  type Database,
  type EncryptionKey,
  isDatabaseUnavailable,
  loadCredentials,
  type ProviderState,
  providersOfAll,
  sealedCredentials,
} from '@pushkeep/store'
import { allWorkspaces } from '../../queries.ts'
import type { CredentialsSeen, LaneSeen } from '../judge/credentials.ts'

/** How the credentials of all apps are looked at. */
export interface CredentialsLook {
  database: Database
  /** null: not known here. */
  key: EncryptionKey | null
  /** Asks a provider whether it takes them; null: nobody is asked. */
  ask: ((credentials: Credentials) => Promise<readonly CredentialFinding[]>) | null
}

type Credentials = ApnsCredentials | FcmCredentials

export async function lookAtCredentials(look: CredentialsLook): Promise<CredentialsSeen> {
  const lanes: LaneSeen[] = []
  const without: App[] = []
  for (const { workspaceNo } of await allWorkspaces(look.database)) {
    const apps = await appsOf(look.database, workspaceNo)
    const states = await providersOfAll(
      look.database,
      apps.map(({ appNo }) => appNo),
    )
    for (const app of apps) {
      const own = states.filter(({ appNo }) => appNo === app.appNo)
      if (own.length === 0) without.push(app)
      // One after the other: an installation may have hundreds, and each opens connections.
      for (const state of own) lanes.push(await lookAtLane(look, app, state))
    }
  }
  const sealed = look.key === null ? null : await sealedCredentials(look.database, look.key)
  return { lanes, without, sealed }
}

async function lookAtLane(
  look: CredentialsLook,
  app: App,
  state: ProviderState,
): Promise<LaneSeen> {
  const { provider, pausedAt, pauseReason, pauseCause, guard, storedAt, expiresAt } = state
  const looked = await openAndAsk(look, app.appNo, provider)
  return {
    app,
    provider,
    ...looked,
    paused: pausedAt ? { reason: scrub(pauseReason ?? 'no reason'), cause: pauseCause } : null,
    isGuarded: guard !== null,
    storedAt: storedAt.getTime(),
    expiresAt: expiresAt?.getTime() ?? null,
  }
}

async function openAndAsk(
  { database, key, ask }: CredentialsLook,
  appNo: number,
  provider: Provider,
): Promise<Pick<LaneSeen, 'opened' | 'findings'>> {
  if (key === null) return { opened: { kind: 'unseen' }, findings: null }
  const opened = await openOne(database, key, appNo, provider)
  if (opened.kind === 'flawed') return { opened, findings: null }
  return { opened: { kind: 'ok' }, findings: ask ? await ask(opened.credentials) : null }
}

type Opened = { kind: 'ok'; credentials: Credentials } | { kind: 'flawed'; reason: string }

async function openOne(
  database: Database,
  key: EncryptionKey,
  appNo: number,
  provider: Provider,
): Promise<Opened> {
  try {
    const stored = await loadCredentials(database, key, appNo, provider)
    return stored
      ? parse(provider, stored)
      : { kind: 'flawed', reason: 'they were just taken away' }
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error
    return {
      kind: 'flawed',
      reason: 'sealed with another PUSHKEEP_ENCRYPTION_KEY than the one here',
    }
  }
}

function parse(provider: Provider, { settings, secret }: AppProvider): Opened {
  const parsed =
    provider === 'apns'
      ? parseApnsCredentials({ ...settings, privateKey: secret })
      : parseFcmCredentials(secret)
  return parsed.kind === 'ok'
    ? parsed
    : { kind: 'flawed', reason: `${parsed.path} ${parsed.message}`.trim() }
}

/** Longest wait for what a provider says, in milliseconds. */
const askTimeoutMs = 10_000

/** Asks a provider by a push to nobody. */
export function askProviders(
  endpoints: Endpoints,
): (of: Credentials) => Promise<CredentialFinding[]> {
  return async (credentials) => {
    const [place, asked] =
      'keyId' in credentials
        ? (['production', checkApns(credentials, endpoints)] as const)
        : (['fcm', checkFcm(credentials, endpoints)] as const)
    const reason = `no answer within ${askTimeoutMs / 1000} s`
    const late: CredentialFinding[] = [{ place, answer: 'unreachable', reason }]
    return Promise.race([asked, wait(askTimeoutMs, late, { ref: false })])
  }
}
