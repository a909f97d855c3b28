import type { QueueBackend } from '@pushkeep/queues'
import {
  type Authenticate,
  buildServer,
  type CoalescerObserver,
  type ConnectionLimits,
  createAttemptLog,
  createLimiter,
  createMetrics,
  describeError,
  type Limiter,
  type Metrics,
  type Server,
  type ServerOptions,
  type Tracing,
  usualRates,
} from '@pushkeep/runtime'
import { type Bell, createAcceptor, type Database } from '@pushkeep/store'
import packageJson from '../package.json' with { type: 'json' }
import { acceptAndRing } from './accept.ts'
import { speakAppApi } from './customerio/index.ts'
import { createSenderEvents } from './events.ts'
import { noteMessages } from './note-message.ts'
import { addConsole } from './ops/console.ts'
import { createSignedIn } from './ops/signed-in.ts'
import { appRoutes } from './routes/apps.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { messageListRoutes } from './routes/message-list.ts'
import { messageRoutes } from './routes/messages.ts'
import { personExportRoutes } from './routes/person-export.ts'
import { scheduleRoutes } from './routes/schedule.ts'

export const program = { name: 'push-sender', version: packageJson.version }

export interface SenderOptions {
  database: Database
  /** Told how calls share statements. */
  coalesced?: CoalescerObserver
  /** Rung when a message is accepted. */
  bell: Pick<Bell, 'ring'>
  authenticate: Authenticate
  logger: ServerOptions['logger']
  /** Where the queues are that the console shows. */
  queues: QueueBackend
  /** Where the console's built pages are, if not where they are built. */
  consolePages?: string
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

/** 10,000 ids of people with room for the content. */
const bodyLimit = 4 * 1024 * 1024

/** The backends' door: messages in, deliveries out; and the console for operations. */
export function buildSender(options: SenderOptions): Server {
  const { database, bell, authenticate, logger, checkResponses = false } = options
  const metrics = options.metrics ?? createMetrics(program)
  const events = createSenderEvents(metrics)
  const accept = acceptAndRing(createAcceptor(database, options.coalesced?.('messages')), bell)
  const attempts = createAttemptLog({
    database,
    onError: (err) => logger.warn({ err: describeError(err) }, 'an attempt was not written down'),
  })
  const app = buildServer({
    title: 'Pushkeep push sender',
    description: 'Accepts push messages, tells what became of each delivery.',
    version: '1',
    logger,
    database,
    authenticate,
    signedIn: createSignedIn(database),
    noteAttempt: attempts.note,
    trustedProxies: options.trustedProxies,
    ...(options.connections ? { connections: options.connections } : {}),
    limiter: options.limiter ?? createLimiter({ rates: usualRates }),
    bodyLimit,
    metrics,
    tracing: options.tracing ?? null,
    checkResponses,
  })
  app.addHook('onClose', attempts.close)
  noteMessages(app)
  app.register(appRoutes, { database })
  app.register(messageRoutes, { database, accept, events })
  app.register(messageListRoutes, { database })
  app.register(scheduleRoutes, { database })
  app.register(deliveryRoutes, { database })
  app.register(personExportRoutes, { database, now: Date.now })
  speakAppApi(app, { database, accept, events })
  addConsole(app, {
    database,
    bell,
    queues: options.queues,
    pages: options.consolePages,
    noteAttempt: attempts.note,
    onError: (err) => logger.warn({ err }, 'the console'),
  })
  return app
}
