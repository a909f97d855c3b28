import { prepareQueues, queueBackend } from '@pushkeep/queues'
import {
  createAuthenticator,
  createLogger,
  createMetrics,
  observeCoalescers,
  observeDatabase,
  type Running,
  startLimits,
  startOperations,
  startTracing,
} from '@pushkeep/runtime'
import { capSettings, connect, createBell, indexedSettings, migrate } from '@pushkeep/store'
import { buildSender, program } from './app.ts'
import type { SenderConfig } from './config.ts'

/** A caller is told to come back within this time where the database does not answer. */
const connectTimeoutMs = 2000

/** Starts the service: migrations, database, HTTP. */
export async function startSender(config: SenderConfig): Promise<Running> {
  const logger = createLogger({ name: 'push-sender', level: config.logLevel })
  const tracing = await startTracing(program, config.tracing, logger)
  const databaseUrl = config.database.url.reveal()
  const database = connect({
    url: databaseUrl,
    name: 'push-sender',
    connectionsMax: config.database.connectionsMax,
    connectTimeoutMs,
    settings: { ...indexedSettings, ...capSettings(config.caps) },
    onError: (err) => logger.warn({ err }, 'an idle database connection broke'),
  })
  const bell = createBell({
    url: databaseUrl,
    name: 'push-sender bell',
    onError: (err) => logger.warn({ err }, 'a bell was not rung'),
  })
  try {
    if (config.migrateOnStart) await migrate(database)
    const queues = queueBackend({ databaseUrl, redisUrl: config.redisUrl?.reveal() })
    const backend = await prepareQueues(queues).catch((err: unknown) => {
      logger.warn({ err }, 'the queues were not looked at')
      return queues
    })
    const metrics = createMetrics(program)
    observeDatabase(metrics, database)
    const coalesced = observeCoalescers(metrics)
    const limits = await startLimits({
      ...config.limits,
      database,
      redisUrl: config.redisUrl?.reveal(),
      metrics,
      logger,
    })
    const app = buildSender({
      database,
      bell,
      coalesced,
      authenticate: createAuthenticator(database, { onRun: coalesced('keys') }),
      logger,
      queues: backend,
      trustedProxies: config.trustedProxies,
      connections: config.connections,
      limiter: limits.limiter,
      metrics,
      tracing,
    })
    const url = await app.listen(config.listen)
    const operations = await startOperations(
      { ...program, logger, metrics, database, hosts: config.operationsHosts },
      config.operations,
    )
    return {
      ready: { url, operations_url: operations.url },
      async stop() {
        await app.close()
        await operations.close()
        await bell.stop()
        await limits.stop()
        await database.end()
        await tracing?.stop()
      },
    }
  } catch (error) {
    await bell.stop()
    await database.end()
    throw error
  }
}
