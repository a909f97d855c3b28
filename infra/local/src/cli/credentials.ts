import {
  type App,
  type Database,
  type EncryptionKey,
  type NewCredentials,
  putCredentials,
} from '@pushkeep/store'
import { Command, Option } from 'commander'
import { z } from 'zod'
import { expiryOption } from './expiry.ts'
import { Failure } from './failure.ts'
import { deedOn, noted } from './noted.ts'
import { chosenApp } from './queries.ts'
import type { Run } from './session.ts'
import { textOf } from './text-file.ts'

/** `app credentials apns`, `app credentials fcm` */
export function credentialsCommand(run: Run): Command {
  return new Command('credentials')
    .description('store what Apple or Google issued; the key material is encrypted')
    .addCommand(apnsCommand(run))
    .addCommand(fcmCommand(run))
}

interface ApnsOptions {
  app: string
  keyFile: string
  keyId: string
  teamId: string
  topic: string
  environment?: 'production' | 'sandbox'
  expires?: Date
}

function apnsCommand(run: Run): Command {
  return new Command('apns')
    .description('an APNs signing key (.p8)')
    .requiredOption('--app <id>', 'the app')
    .requiredOption('--key-file <path>', 'the .p8 file that Apple issued')
    .requiredOption('--key-id <id>', 'its ten characters')
    .requiredOption('--team-id <id>', "the team's ten characters")
    .requiredOption('--topic <bundle id>', "the app's bundle id")
    .addOption(
      new Option('--environment <name>', 'where the key is bound to one').choices([
        'production',
        'sandbox',
      ]),
    )
    .addOption(expiryOption('when they end'))
    .action((options: ApnsOptions) =>
      run(async ({ database, encryptionKey }) => {
        const app = await chosenApp(database, '--app', options.app)
        const secret = await textOf('--key-file', options.keyFile)
        const settings = await apnsSettings(options, secret)
        await store(database, await encryptionKey(), app, {
          appNo: app.appNo,
          provider: 'apns',
          settings,
          secret,
          expiresAt: options.expires ?? null,
        })
        return stored(options.app, 'apns', settings)
      }),
    )
}

// The names of what the parser complains about, as the command line has them.
const optionOf: Record<string, string> = {
  teamId: '--team-id',
  keyId: '--key-id',
  topic: '--topic',
  environment: '--environment',
  privateKey: '--key-file',
}

async function apnsSettings(options: ApnsOptions, privateKey: string) {
  const { parseApnsCredentials } = await loadProviders()
  const { teamId, keyId, topic, environment } = options
  const settings = { teamId, keyId, topic, ...(environment ? { environment } : {}) }
  const parsed = parseApnsCredentials({ ...settings, privateKey })
  if (parsed.kind === 'problem') {
    throw new Failure(`${optionOf[parsed.path] ?? parsed.path}: ${parsed.message}`)
  }
  return settings
}

interface FcmOptions {
  app: string
  serviceAccountFile: string
  expires?: Date
}

/** What may be shown of a service account. */
const Shown = z.object({ project_id: z.string(), client_email: z.string() })

function fcmCommand(run: Run): Command {
  return new Command('fcm')
    .description('an FCM service account (JSON)')
    .requiredOption('--app <id>', 'the app')
    .requiredOption('--service-account-file <path>', 'the JSON file that Google issued')
    .addOption(expiryOption('when they end'))
    .action((options: FcmOptions) =>
      run(async ({ database, encryptionKey }) => {
        const app = await chosenApp(database, '--app', options.app)
        const secret = await textOf('--service-account-file', options.serviceAccountFile)
        const { parseFcmCredentials } = await loadProviders()
        const parsed = parseFcmCredentials(secret)
        if (parsed.kind === 'problem') {
          throw new Failure(`--service-account-file: ${`${parsed.path} ${parsed.message}`.trim()}`)
        }
        const { project_id: projectId, client_email: clientEmail } = Shown.parse(JSON.parse(secret))
        const settings = { projectId, clientEmail }
        await store(database, await encryptionKey(), app, {
          appNo: app.appNo,
          provider: 'fcm',
          settings,
          secret,
          expiresAt: options.expires ?? null,
        })
        return stored(options.app, 'fcm', settings)
      }),
    )
}

/** Stores them, and writes down that the command did. */
async function store(
  database: Database,
  key: EncryptionKey,
  app: App,
  credentials: NewCredentials,
): Promise<void> {
  await noted(database, async (sql) => {
    await putCredentials(sql, key, credentials)
    const detail = { provider: credentials.provider, outcome: 'replaced' }
    return { result: null, deed: deedOn(app, 'credentials.replace', detail) }
  })
}

// Google's SDK takes its time to load: the other commands do not wait for it.
function loadProviders() {
  return import('@pushkeep/providers')
}

function stored(app_id: string, provider: 'apns' | 'fcm', settings: Record<string, string>) {
  return {
    text: `The ${provider} credentials of app ${app_id} are stored.`,
    json: { app_id, provider, settings },
  }
}
