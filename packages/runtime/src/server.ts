import { randomBytes } from 'node:crypto'
import type { Database } from '@pushkeep/store'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import { checkAccess, type SignedIn } from './access.ts'
import type { NoteAttempt } from './attempts.ts'
import type { Authenticate } from './authentication.ts'
import { type ConnectionLimits, limitConnections, usualConnections } from './connections.ts'
import {
  handleClientError,
  handleError,
  handleExpectation,
  handleUnknownRoute,
  problemOf,
  sendProblem,
} from './error-handler.ts'
import { reportHealth } from './health.ts'
import { acceptJson } from './json-body.ts'
import { createKeyUses, type KeyUses } from './key-uses.ts'
import type { Limiter } from './limits/limiter.ts'
import { observeRequests } from './metrics/http.ts'
import type { Metrics } from './metrics/metrics.ts'
import { type ApiDescription, describeApi } from './openapi.ts'
import { prepareNotes, RequestLog } from './request-log.ts'
import { traceRequests } from './tracing/http.ts'
import type { Tracing } from './tracing/tracing.ts'
import { checkedSerializer, uncheckedSerializer, validatorCompiler } from './validation.ts'

export interface ServerOptions extends ApiDescription {
  logger: Logger
  /** Largest body in bytes. */
  bodyLimit?: number
  /** Asked by `/health/ready`. */
  database?: Database
  /** Needed where a route asks for a key. */
  authenticate?: Authenticate
  /** Needed where a route asks for a session. */
  signedIn?: SignedIn
  /** Told of calls that are refused. */
  noteAttempt?: NoteAttempt
  /** Reverse proxies whose `X-Forwarded-*` counts: addresses, networks, `loopback`, by commas. */
  trustedProxies?: string | undefined
  /** Measures each request. */
  metrics?: Metrics
  /** Makes a span of each request; left out or null: no trace is kept. */
  tracing?: Tracing | null
  /** Whether uses of keys are written down; true if left out. */
  notesUses?: boolean
  /** Rates of its callers; left out or null: none. */
  limiter?: Limiter | null
  /** How many connections it keeps open; as many as usual if left out. */
  connections?: ConnectionLimits
  /** Compares each answer with its schema, for tests. */
  checkResponses?: boolean
}

export type Server = FastifyInstance

/** Longest device token, and with it the longest part of a path. */
const maxParamLength = 4096

/** What each answer tells browsers and caches. */
function guardAnswer(request: FastifyRequest, reply: FastifyReply): void {
  reply
    .header('x-request-id', request.id)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
  // A browser that came by https comes back by https, for a year.
  if (request.protocol === 'https') {
    reply.header('strict-transport-security', 'max-age=31536000')
  }
}

/**
 * An HTTP server with what all of ours share: zod validation, problems as RFC 9457, keys, OpenAPI,
 * health, one log line a request. Register routes as plugins (a route added directly is not in the
 * description), each with a `config.access`, then listen.
 */
export function buildServer(options: ServerOptions): Server {
  const app = fastify({
    loggerInstance: options.logger as FastifyBaseLogger,
    logController: new RequestLog(),
    genReqId: createRequestIds(),
    // Lines name their request themselves; a logger of its own for each costs more than the line.
    childLoggerFactory: (logger) => logger,
    bodyLimit: options.bodyLimit ?? 262_144,
    trustProxy: options.trustedProxies ?? false,
    routerOptions: { maxParamLength },
    // A client that sends its request over minutes holds a socket, no more than that long.
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5000, maxHeaderSize: 24_576 },
    // Requests that come on a kept connection while we drain are served, and the connection closed.
    return503OnClosing: false,
    clientErrorHandler: handleClientError,
    // Of a path that cannot be read: no hook runs.
    frameworkErrors: (error, request, reply) => {
      guardAnswer(request, reply)
      sendProblem(reply, problemOf(error))
    },
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(options.checkResponses ? checkedSerializer : uncheckedSerializer)
  app.setErrorHandler(handleError)
  app.setNotFoundHandler(handleUnknownRoute)
  app.addHook('onRequest', (request, reply, done) => {
    guardAnswer(request, reply)
    done()
  })
  app.decorate('pushkeepLimiter', options.limiter ?? null)
  prepareNotes(app)
  if (options.tracing) traceRequests(app)
  if (options.metrics) observeRequests(app, options.metrics)
  app.server.on('checkExpectation', handleExpectation)
  closeIdleConnections(app)
  limitConnections(app, options.connections ?? usualConnections, options.metrics)
  acceptJson(app)
  checkAccess(app, { ...options, keyUses: keyUsesOf(app, options) })
  describeApi(app, options)
  app.register((routes, _options, done) => {
    reportHealth(routes, options.database)
    done()
  })
  return app.withTypeProvider<ZodTypeProvider>()
}

/** Notes which keys are used, where keys are asked for. */
function keyUsesOf(
  app: FastifyInstance,
  { database, authenticate, logger, notesUses = true }: ServerOptions,
): KeyUses | undefined {
  if (!database || !authenticate || !notesUses) return undefined
  const onError = (err: unknown) => logger.warn({ err }, 'uses of keys were not written down')
  const keyUses = createKeyUses({ sql: database, onError })
  app.addHook('onClose', () => keyUses.close())
  return keyUses
}

/**
 * Closing waits for connections, and Node closes those that are idle at that moment alone: one that
 * ends its request later would keep us for its keep-alive time.
 */
function closeIdleConnections(app: FastifyInstance): void {
  app.addHook('preClose', (done) => {
    const timer = setInterval(() => app.server.closeIdleConnections(), 50)
    app.server.once('close', () => clearInterval(timer))
    // A server that never listened does not close.
    timer.unref()
    done()
  })
}

/** Ids of our own: short, unique among processes, and nothing that a caller wrote. */
function createRequestIds(): () => string {
  const process = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${process}-${(count++).toString(36)}`
}
