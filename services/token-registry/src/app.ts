import {
  buildServer,
  createAuthenticator,
  createMetrics,
  type Logger,
  type Metrics,
  type Server,
  type Tracing,
} from '@pushkeep/runtime'
import { createIdentifier, createRegistrar, type Database } from '@pushkeep/store'
import packageJson from '../package.json' with { type: 'json' }
import { createAppFinder } from './apps.ts'
import { countIdentifications, countRegistrations, createRegistryEvents } from './events.ts'
import { deviceRoutes } from './routes/devices.ts'
import { peopleRoutes } from './routes/people.ts'
import { personDeviceRoutes } from './routes/person-devices.ts'
import { timelineRoutes } from './routes/timeline.ts'

export const program = { name: 'token-registry', version: packageJson.version }

export interface AppOptions {
  database: Database
  logger: Logger
  /** Where it counts; one of its own if left out. */
  metrics?: Metrics
  tracing?: Tracing | null
  /** Compares each answer with its schema, for tests. */
  checkResponses?: boolean
}

const description = `People, their devices, and the registration endpoint of mobile apps.

Every call carries a key (\`Authorization: Bearer <key>\`). A public key, as it sits in a mobile app,
may register and identify and is told nothing: its answers are \`{}\` or empty. A secret key may do
everything.

A call that names a \`timestamp\` is ordered by it: one that is older than the newest that was applied
changes nothing and answers \`"applied": false\`.`

/** The token registry, not listening yet. */
export function buildApp(options: AppOptions): Server {
  const { database, logger, metrics = createMetrics(program), checkResponses } = options
  const events = createRegistryEvents(metrics)
  const app = buildServer({
    logger,
    title: 'Pushkeep token registry',
    description,
    version: program.version,
    database,
    authenticate: createAuthenticator(database, { onRun: events.coalesced('keys') }),
    metrics,
    tracing: options.tracing ?? null,
    ...(checkResponses === undefined ? {} : { checkResponses }),
  })
  const apps = createAppFinder(database)
  const register = countRegistrations(
    events,
    createRegistrar(database, events.coalesced('registrations')),
  )
  const identify = countIdentifications(
    events,
    createIdentifier(database, events.coalesced('identifications')),
  )
  app.register(peopleRoutes, { database, identify })
  app.register(personDeviceRoutes, { database, apps, register })
  app.register(deviceRoutes, { database, apps, register })
  app.register(timelineRoutes, { database, apps })
  return app
}
