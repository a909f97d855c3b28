import {
  capsOf,
  createLogger,
  createMetrics,
  observeDatabase,
  operationsPort,
  ratesOf,
  readConfig,
  runProcess,
  startLimits,
  startOperations,
  startTracing,
  usualConnections,
} from '@pushkeep/runtime'
import { capSettings, connect, indexedSettings, migrate, parseEncryptionKey } from '@pushkeep/store'
import { buildApp, program } from './app.ts'
import { Config } from './config.ts'

const { name } = program

await runProcess({
  name,
  start: async () => {
    const config = readConfig(Config, process.env)
    const logger = createLogger({ name, level: config.LOG_LEVEL })
    const tracing = await startTracing(program, config, logger)
    const database = connect({
      url: config.DATABASE_URL.reveal(),
      name,
      connectionsMax: config.DATABASE_CONNECTIONS,
      settings: { ...indexedSettings, ...capSettings(capsOf(config)) },
      onError: (error) => logger.warn({ err: error }, 'an idle database connection broke'),
    })
    if (config.MIGRATE_ON_START) {
      const applied = await migrate(database)
      if (applied.length > 0) logger.info({ applied }, 'migrated')
    }
    const sealKey = config.PUSHKEEP_IDENTITY_KEY
    const identityKey = sealKey ? parseEncryptionKey(sealKey.reveal()) : null
    const publicHost = config.REGISTRY_PUBLIC_HOST ?? null
    const metrics = createMetrics(program)
    observeDatabase(metrics, database)
    const limits = await startLimits({
      rates: ratesOf(config),
      bucketsMax: config.LIMIT_BUCKETS,
      database,
      redisUrl: config.REDIS_URL?.reveal(),
      metrics,
      logger,
    })
    const app = buildApp({
      database,
      logger,
      identityKey,
      identityTokenDaysMax: config.REGISTRY_IDENTITY_TOKEN_DAYS,
      publicHost,
      trustedProxies: config.REGISTRY_TRUSTED_PROXIES,
      connections: {
        ...usualConnections,
        max: config.HTTP_CONNECTIONS,
        perAddress: config.HTTP_CONNECTIONS_PER_ADDRESS,
      },
      limiter: limits.limiter,
      metrics,
      tracing,
    })
    const url = await app.listen({ host: config.REGISTRY_HOST, port: config.REGISTRY_PORT })
    const operations = await startOperations(
      { ...program, logger, metrics, database, hosts: config.OPERATIONS_HOSTS },
      {
        host: config.REGISTRY_OPS_HOST,
        port: operationsPort(config.REGISTRY_OPS_PORT, config.REGISTRY_PORT),
      },
    )
    return {
      ready: { url, operations_url: operations.url },
      stop: async () => {
        await app.close()
        await operations.close()
        await limits.stop()
        await database.end()
        await tracing?.stop()
      },
    }
  },
})
