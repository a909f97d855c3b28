import { buildServer, createAuthenticator, type Logger, type Server } from '@pushkeep/runtime'
import {
  createCommander,
  createIdentifier,
  createReceiptTaker,
  createRegistrar,
  type Database,
} from '@pushkeep/store'
import packageJson from '../package.json' with { type: 'json' }
import { createAppFinder } from './apps.ts'
import { deviceRoutes } from './routes/devices.ts'
import { eventRoutes } from './routes/events.ts'
import { peopleRoutes } from './routes/people.ts'
import { personDeviceRoutes } from './routes/person-devices.ts'
import { receiptRoutes } from './routes/receipts.ts'
import { timelineRoutes } from './routes/timeline.ts'

export interface AppOptions {
  database: Database
  logger: Logger
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
export function buildApp({ database, logger, checkResponses }: AppOptions): Server {
  const app = buildServer({
    logger,
    title: 'Pushkeep token registry',
    description,
    version: packageJson.version,
    database,
    authenticate: createAuthenticator(database),
    ...(checkResponses === undefined ? {} : { checkResponses }),
  })
  const apps = createAppFinder(database)
  const register = createRegistrar(database)
  const identify = createIdentifier(database)
  const run = createCommander(database)
  app.register(peopleRoutes, { database, identify })
  app.register(eventRoutes, { database, run })
  app.register(personDeviceRoutes, { database, apps, register })
  app.register(deviceRoutes, { database, apps, register })
  app.register(timelineRoutes, { database, apps })
  app.register(receiptRoutes, { takeReceipt: createReceiptTaker(database) })
  return app
}
