import { readFile } from 'node:fs/promises'
import { queueBackend } from '@pushkeep/queues'
import { buildServer, createLogger, describeError, runProcess } from '@pushkeep/runtime'
import { connect, createPartitions, indexedSettings, parseEncryptionKey } from '@pushkeep/store'
import { readWorkersConfig } from './config.ts'
import { startWorkers } from './workers.ts'

await runProcess({
  name: 'workers',
  async start() {
    const config = readWorkersConfig(process.env)
    const logger = createLogger({ name: 'workers', level: config.LOG_LEVEL })
    const databaseUrl = config.DATABASE_URL.reveal()
    const database = connect({
      url: databaseUrl,
      name: 'pushkeep workers',
      connectionsMax: config.DATABASE_CONNECTIONS,
      settings: indexedSettings,
      onError: (error) => logger.warn({ event: 'database.failed', err: describeError(error) }),
    })
    await createPartitions(database, Date.now())
    const ca = config.PROVIDER_CA_FILE ? await readFile(config.PROVIDER_CA_FILE, 'utf8') : null
    const workers = startWorkers({
      database,
      databaseUrl,
      backend: queueBackend({ redisUrl: config.REDIS_URL?.reveal(), databaseUrl }),
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
      eventDays: config.EVENT_RETENTION_DAYS,
      logger,
      now: Date.now,
      random: Math.random,
    })
    const server = buildServer({
      logger,
      title: 'Pushkeep workers',
      description: 'Health of the workers.',
      version: '0.1.0',
      database,
    })
    const url = await server.listen({ host: config.WORKER_HOST, port: config.WORKER_PORT })
    return {
      ready: { url },
      async stop() {
        await workers.stop()
        await server.close()
        await database.end()
      },
    }
  },
})
