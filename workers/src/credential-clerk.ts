import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CredentialFinding,
  type CredentialOutcome,
  type Provider,
  replacementOutcome,
  verdictOf,
} from '@pushkeep/domain'
import {
  checkApns,
  checkFcm,
  type Endpoints,
  parseApnsCredentials,
  parseFcmCredentials,
} from '@pushkeep/providers'
import {
  type AppProvider,
  type Database,
  type EncryptionKey,
  finishTask,
  loadCredentials,
  publishBoxKey,
  type TakenTask,
  takeTask,
} from '@pushkeep/store'

export interface ClerkOptions {
  database: Database
  encryptionKey: EncryptionKey
  endpoints: Endpoints
  /** How often it looks for something to do, in milliseconds. */
  pollMs: number
  onError: (error: unknown) => void
}

const stopMs = 3000

/**
 * Does what operators ask of credentials, one task after the other: asks the provider whether it
 * takes them, and stores new ones that it does. Never says why beyond the provider's own words.
 */
export function startClerk(options: ClerkOptions) {
  const { database, encryptionKey, endpoints } = options
  let isPublished = false
  let isBusy = false
  let isStopped = false
  let idle: Promise<void> = Promise.resolve()

  async function round(): Promise<void> {
    if (!isPublished) await publishBoxKey(database, encryptionKey)
    isPublished = true
    while (!isStopped) {
      const task = await takeTask(database, encryptionKey)
      if (!task) return
      const done = await carryOut(task, () =>
        loadCredentials(database, encryptionKey, task.appNo, task.provider),
      )
      await finishTask(database, encryptionKey, task, done)
    }
  }

  async function carryOut(task: TakenTask, load: () => Promise<AppProvider | null>): Promise<Done> {
    if (task.kind === 'check') {
      const findings = await ask(task.provider, await load().catch(() => null), endpoints)
      return { outcome: verdictOf(findings), findings }
    }
    const findings = await ask(task.provider, task.replacement, endpoints)
    const isForced = task.replacement?.isForced ?? false
    return { outcome: replacementOutcome(findings, isForced), findings }
  }

  async function tick(): Promise<void> {
    isBusy = true
    try {
      await round()
    } catch (error) {
      options.onError(error)
    } finally {
      isBusy = false
    }
  }

  const start = () => {
    if (!isBusy && !isStopped) idle = tick()
  }
  const timer = setInterval(start, options.pollMs)
  start()
  return {
    /** Waits a little for a task under way; one that is cut off is taken by somebody else. */
    async stop() {
      isStopped = true
      clearInterval(timer)
      await Promise.race([idle, sleep(stopMs, undefined, { ref: false })])
    },
  }
}

interface Done {
  outcome: CredentialOutcome
  findings: CredentialFinding[]
}

type Opened = Pick<AppProvider, 'settings' | 'secret'> | null

/** What the provider says; of credentials that cannot be read, what is wrong with them. */
async function ask(
  provider: Provider,
  opened: Opened,
  endpoints: Endpoints,
): Promise<CredentialFinding[]> {
  const flawed = (reason: string): CredentialFinding[] => [
    { place: provider === 'apns' ? 'production' : 'fcm', answer: 'refused', reason },
  ]
  if (!opened) return flawed('they cannot be opened with this encryption key')
  switch (provider) {
    case 'apns': {
      const parsed = parseApnsCredentials({ ...opened.settings, privateKey: opened.secret })
      if (parsed.kind === 'problem') return flawed(`${parsed.path} ${parsed.message}`)
      return checkApns(parsed.credentials, endpoints)
    }
    case 'fcm': {
      const parsed = parseFcmCredentials(opened.secret)
      if (parsed.kind === 'problem') return flawed(`${parsed.path} ${parsed.message}`)
      return checkFcm(parsed.credentials, endpoints)
    }
  }
}
