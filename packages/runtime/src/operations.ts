import {
  audit,
  type Database,
  findInstallationKey,
  hashKey,
  installationNo,
  inWorkspaces,
} from '@pushkeep/store'
import type { FastifyInstance } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import { z } from 'zod'
import { callerOf } from './access.ts'
import { actorOf } from './actor.ts'
import { type Authenticate, type Caller, keyOf } from './authentication.ts'
import { logLevels } from './config.ts'
import { createLevelSwitch, type LevelSwitch } from './log-level.ts'
import { describeError } from './logger.ts'
import { type Metrics, metricsContentType } from './metrics/metrics.ts'
import { refuseForeignHosts } from './own-host.ts'
import { problemResponses } from './problem.ts'
import { buildServer } from './server.ts'

export interface OperationsOptions {
  /** The process's name. */
  name: string
  version: string
  logger: Logger
  metrics: Metrics
  /** Asked by `/health/ready`. */
  database: Database
  /** Names by which it may be reached, beside addresses and those inside a cluster. */
  hosts?: readonly string[]
}

export interface OperationsListener {
  url: string
  close(): Promise<void>
}

/**
 * Listens where operations look at a process: `/metrics`, `/log-level`, health. Reading asks
 * for no key, so that it belongs on a private address (docs/decisions/0070); changing the log level asks for one of an
 * operator of the installation. SIGUSR2 switches the
 * log between `debug` and the configured level, where nobody can reach the port.
 */
export async function startOperations(
  options: OperationsOptions,
  listen: { host: string; port: number },
): Promise<OperationsListener> {
  const level = createLevelSwitch(options.logger)
  const app = buildOperations(options, level)
  const url = await app.listen(listen)
  const onSignal = () => level.toggle()
  process.on('SIGUSR2', onSignal)
  return {
    url,
    async close() {
      process.off('SIGUSR2', onSignal)
      await app.close()
    },
  }
}

/** The operations server, not listening yet. */
export function buildOperations(options: OperationsOptions, level: LevelSwitch): FastifyInstance {
  const { name, version, logger, metrics, database } = options
  const app = buildServer({
    logger,
    title: `Pushkeep ${name}: operations`,
    description: 'What a process counts, how much it logs, whether it works. For private networks.',
    version,
    database,
    authenticate: operatorsOf(database),
    notesUses: false,
  })
  refuseForeignHosts(app, options.hosts ?? [])
  app.register(operationsRoutes, { name, metrics, level, database })
  return app
}

/** Finds operators of the installation alone: the role of some programs reads no other key. */
function operatorsOf(database: Database): Authenticate {
  return async (authorization): Promise<Caller | null> => {
    const key = keyOf(authorization)
    const found = key === null ? null : await findInstallationKey(database, hashKey(key))
    if (!found) return null
    const { id: keyId, name: keyName, workspaceNo, role, allowedAddresses } = found
    const terms = { expiresAt: null, allowedAddresses }
    return {
      kind: 'secret',
      isInstallation: true,
      appNo: null,
      keyId,
      keyName,
      workspaceNo,
      role,
      ...terms,
    }
  }
}

const open = { access: 'open' } as const
const operators = { access: 'secret', role: 'operate', reach: 'installation' } as const
const tags = ['operations']

const forSecondsMax = 86_400

const LevelInput = z.strictObject({
  level: z.enum(logLevels),
  for_seconds: z
    .int()
    .min(1)
    .max(forSecondsMax)
    .optional()
    .describe('After that the configured level comes back; left out: when the process restarts'),
})

const Level = z.strictObject({
  level: z.enum(logLevels),
  until: z.iso.datetime().nullable().describe('When the configured level comes back'),
})

function levelBody(level: LevelSwitch): z.infer<typeof Level> {
  const { level: name, until } = level.read()
  return { level: name, until: until === null ? null : new Date(until).toISOString() }
}

interface OperationsRoutesDeps {
  name: string
  metrics: Metrics
  level: LevelSwitch
  database: Database
}

const operationsRoutes: FastifyPluginAsyncZod<OperationsRoutesDeps> = async (
  app,
  { name, metrics, level, database },
) => {
  /** The level counts also where the database is away, which may be why it is changed. */
  const noteLevel = (caller: Caller, from: string, to: z.infer<typeof LevelInput>) =>
    inWorkspaces([installationNo], () =>
      audit(database, {
        actor: { ...actorOf(caller), workspaceNo: installationNo },
        action: 'log-level.set',
        target: { kind: 'workspace', id: name },
        appNo: null,
        detail: { from, to: to.level, for_seconds: to.for_seconds ?? null },
      }),
    )

  app.get(
    '/metrics',
    {
      config: { ...open, isRoutine: true },
      schema: {
        summary: 'What this process counts',
        description: 'In the text format of Prometheus. Asks neither the database nor a queue.',
        tags,
        security: [],
      },
    },
    async (_request, reply) => reply.type(metricsContentType).send(await metrics.text()),
  )
  app.get(
    '/log-level',
    {
      config: open,
      schema: {
        summary: 'How much this process logs',
        tags,
        security: [],
        response: { 200: Level },
      },
    },
    () => levelBody(level),
  )
  app.put(
    '/log-level',
    {
      config: operators,
      schema: {
        summary: 'Change how much this process logs',
        description:
          'At once, of this process alone, until it restarts or `for_seconds` are over. Needs a key of an operator of the installation.',
        tags,
        body: LevelInput,
        response: { 200: Level, ...problemResponses(400, 401, 403, 413, 415, 422, 503) },
      },
    },
    async (request) => {
      const before = level.read().level
      level.set(request.body.level, request.body.for_seconds ?? null)
      await noteLevel(callerOf(request), before, request.body).catch((error: unknown) =>
        request.log.warn({ event: 'audit.failed', err: describeError(error) }),
      )
      return levelBody(level)
    },
  )
}
