import { readFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { prepareQueues, queueBackend, queueTelemetry } from '@pushkeep/queues'
import {
  createLogger,
  createMetrics,
  describeError,
  observeDatabase,
  runProcess,
  startOperations,
  startTracing,
} from '@pushkeep/runtime'
import { connect, createPartitions, indexedSettings, parseEncryptionKey } from '@pushkeep/store'
import packageJson from '../package.json' with { type: 'json' }
import { readWorkersConfig } from './config.ts'
import { startUpkeep } from './upkeep.ts'
import { startWorkers } from './workers.ts'

// A heap may double until it is collected, instead of becoming four times as large: it is garbage that a
// broadcast promotes, and collecting it costs nothing that can be measured (docs/performance.md). Not to be
// had by NODE_OPTIONS.
setFlagsFromString('--heap-growing-percent=100')

const program = { name: 'workers', version: packageJson.version }

await runProcess({
  name: program.name,
  async start() {
    const config = readWorkersConfig(process.env)
    const logger = createLogger({ name: program.name, level: config.LOG_LEVEL })
    const tracing = await startTracing(program, config, logger)
    const databaseUrl = config.DATABASE_URL.reveal()
    const database = connect({
      url: databaseUrl,
      name: 'pushkeep workers',
      connectionsMax: config.DATABASE_CONNECTIONS,
      settings: indexedSettings,
      onError: (error) => logger.warn({ event: 'database.failed', err: describeError(error) }),
    })
    const metrics = createMetrics(program)
    observeDatabase(metrics, database)
    await createPartitions(database, Date.now())
    const ca = config.PROVIDER_CA_FILE ? await readFile(config.PROVIDER_CA_FILE, 'utf8') : null
    const workers = startWorkers({
      database,
      databaseUrl,
      backend: await prepareQueues(
        queueBackend({ redisUrl: config.REDIS_URL?.reveal(), databaseUrl }),
      ),
      encryptionKey: parseEncryptionKey(config.PUSHKEEP_ENCRYPTION_KEY.reveal()),
      endpoints: {
        apnsProduction: config.APNS_PRODUCTION_URL,
        apnsSandbox: config.APNS_SANDBOX_URL,
        fcm: config.FCM_URL,
        fcmToken: config.FCM_TOKEN_URL,
        ...(ca === null ? {} : { ca }),
      },
      journalDirectory: config.OUTCOME_JOURNAL_DIR ?? null,
      retention: {
        messageDays: config.MESSAGE_RETENTION_DAYS,
        timelineDays: config.TIMELINE_RETENTION_DAYS,
      },
      concurrency: {
        transactional: config.TRANSACTIONAL_CONCURRENCY,
        bulk: config.BULK_CONCURRENCY,
      },
      doubtRule: { people: config.LANE_DOUBT_PEOPLE, seconds: config.LANE_DOUBT_SECONDS },
      renderMs: config.TEMPLATE_RENDER_MS,
      strandedMax: config.CHUNK_STRANDED_MAX,
      eventDays: config.EVENT_RETENTION_DAYS,
      logger,
      metrics,
      telemetry: tracing ? await queueTelemetry() : null,
      now: Date.now,
      random: Math.random,
    })
    const upkeep = startUpkeep({
      database,
      onError: (error) => logger.warn({ event: 'upkeep.failed', err: describeError(error) }),
    })
    const operations = await startOperations(
      { ...program, logger, metrics, database, hosts: config.OPERATIONS_HOSTS },
      { host: config.WORKER_HOST, port: config.WORKER_PORT },
    )
    const { url } = operations
    return {
      ready: { url, operations_url: url },
      async stop() {
        await upkeep.stop()
        await workers.stop()
        await operations.close()
        await database.end()
        await tracing?.stop()
      },
    }
  },
})
