import {
  type Authenticate,
  buildServer,
  type ConnectionLimits,
  createAttemptLog,
  createAuthenticator,
  createLimiter,
  createMetrics,
  describeError,
  type Limiter,
  type Logger,
  type Metrics,
  type Server,
  type Tracing,
  usualRates,
} from '@pushkeep/runtime'
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
import { refusingSeveral } from './customerio/several.ts'
import {
  countCommands,
  countIdentifications,
  countRegistrations,
  createRegistryEvents,
} from './events.ts'
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

export const program = { name: 'token-registry', version: packageJson.version }

export interface AppOptions {
  database: Database
  logger: Logger
  /** Finds callers; by the keys of the database if left out. */
  authenticate?: Authenticate
  /** Opens the secrets that identity tokens may be signed with; null where there is none. */
  identityKey?: EncryptionKey | null
  /** Longest that an identity token may still be good, in days; the usual if left out. */
  identityTokenDaysMax?: number
  /** Host, and path if any, by which clients reach the registry; null: not known. */
  publicHost?: string | null
  /** Reverse proxies in front of it; none if left out. */
  trustedProxies?: string | undefined
  connections?: ConnectionLimits | undefined
  /** Rates of its callers; the usual ones, counted by this process alone, if left out. */
  limiter?: Limiter
  /** Where it counts; one of its own if left out. */
  metrics?: Metrics
  tracing?: Tracing | null
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
  const { database, logger, metrics = createMetrics(program) } = options
  const { identityKey = null, publicHost = null, checkResponses } = options
  const events = createRegistryEvents(metrics)
  const authenticate =
    options.authenticate ?? createAuthenticator(database, { onRun: events.coalesced('keys') })
  const attempts = createAttemptLog({
    database,
    onError: (err) => logger.warn({ err: describeError(err) }, 'an attempt was not written down'),
  })
  const app = buildServer({
    logger,
    title: 'Pushkeep token registry',
    description,
    version: program.version,
    database,
    authenticate,
    noteAttempt: attempts.note,
    trustedProxies: options.trustedProxies,
    ...(options.connections ? { connections: options.connections } : {}),
    limiter: options.limiter ?? createLimiter({ rates: usualRates }),
    metrics,
    tracing: options.tracing ?? null,
    ...(checkResponses === undefined ? {} : { checkResponses }),
  })
  app.addHook('onClose', attempts.close)
  const apps = createAppFinder(database)
  const register = countRegistrations(
    events,
    createRegistrar(database, events.coalesced('registrations')),
  )
  const identify = countIdentifications(
    events,
    createIdentifier(database, events.coalesced('identifications')),
  )
  const run = countCommands(events, createCommander(database, events.coalesced('commands')))
  const takeReceipt = createReceiptTaker(database, events.coalesced('receipts'))
  const lifetimeDaysMax = options.identityTokenDaysMax
  const keyring = createKeyring({ database, sealKey: identityKey, lifetimeDaysMax })
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
    findPersonId: refusingSeveral(createPersonFinder(database)),
    renamePerson: (workspaceNo, from, to) => renamePerson(database, { workspaceNo, from, to }),
    now: Date.now,
  })
  return app
}
