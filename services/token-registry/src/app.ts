import { buildServer, createAuthenticator, type Logger, type Server } from '@pushkeep/runtime'
import {
  createCommander,
  createIdentifier,
  createPersonFinder,
  createReceiptTaker,
  createRegistrar,
  type Database,
  type EncryptionKey,
  renamePerson,
} from '@pushkeep/store'
import packageJson from '../package.json' with { type: 'json' }
import { createAppFinder } from './apps.ts'
import { speakCustomerio } from './customerio/index.ts'
import { createDoubtLog } from './identity/doubt-log.ts'
import { createGate } from './identity/gate.ts'
import { createKeyring } from './identity/keyring.ts'
import { deviceRoutes } from './routes/devices.ts'
import { eventRoutes } from './routes/events.ts'
import { ownDeviceRoutes } from './routes/own-device.ts'
import { peopleRoutes } from './routes/people.ts'
import { personDeviceRoutes } from './routes/person-devices.ts'
import { receiptRoutes } from './routes/receipts.ts'
import { timelineRoutes } from './routes/timeline.ts'

export interface AppOptions {
  database: Database
  logger: Logger
  /** Opens the secrets that identity tokens may be signed with; null where there is none. */
  identityKey?: EncryptionKey | null
  /** Host, and path if any, by which clients reach the registry; null: as they name it. */
  publicHost?: string | null
  /** Compares each answer with its schema, for tests. */
  checkResponses?: boolean
}

const description = `People, their devices, and the registration endpoint of mobile apps.

Every call carries a key (\`Authorization: Bearer <key>\`). A public key, as it sits in a mobile app,
may register, identify and report receipts, and is told nothing: its answers are \`{}\` or empty. A secret key may do
everything.

A call that names a \`timestamp\` is ordered by it: one that is older than the newest that was applied
changes nothing and answers \`"applied": false\`.`

/** The token registry, not listening yet. */
export function buildApp(options: AppOptions): Server {
  const { database, logger, identityKey = null, publicHost = null, checkResponses } = options
  const authenticate = createAuthenticator(database)
  const app = buildServer({
    logger,
    title: 'Pushkeep token registry',
    description,
    version: packageJson.version,
    database,
    authenticate,
    ...(checkResponses === undefined ? {} : { checkResponses }),
  })
  const apps = createAppFinder(database)
  const register = createRegistrar(database)
  const identify = createIdentifier(database)
  const run = createCommander(database)
  const takeReceipt = createReceiptTaker(database)
  const keyring = createKeyring({ database, sealKey: identityKey })
  const openGate = createGate({ keyring, noteDoubt: createDoubtLog(logger) })
  app.register(peopleRoutes, { database, identify, openGate })
  app.register(eventRoutes, { database, run, openGate })
  app.register(personDeviceRoutes, { database, apps, register, openGate })
  app.register(deviceRoutes, { database, apps, register, openGate })
  app.register(ownDeviceRoutes, { database, apps, openGate })
  app.register(timelineRoutes, { database, apps })
  app.register(receiptRoutes, { takeReceipt })
  speakCustomerio(app, {
    apps,
    run,
    takeReceipt,
    openGate,
    authenticate,
    publicHost,
    findPersonId: createPersonFinder(database),
    renamePerson: (workspaceNo, from, to) => renamePerson(database, { workspaceNo, from, to }),
    now: Date.now,
  })
  return app
}
