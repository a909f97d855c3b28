import {
  databaseConfig,
  flag,
  logLevel,
  operationsPort,
  port,
  readConfig,
  type Secret,
  secret,
  type TracingConfig,
  tracingConfig,
} from '@pushkeep/runtime'
import { z } from 'zod'

/** What the push sender is told by its environment. */
export interface SenderConfig {
  database: { url: Secret; connectionsMax: number }
  /** Where the queues are, for the dashboard alone: accepting never touches them. */
  redisUrl: Secret | undefined
  listen: { host: string; port: number }
  /** Metrics, log level, health: for a private network. */
  operations: { host: string; port: number }
  logLevel: string
  migrateOnStart: boolean
  tracing: TracingConfig
}

const Environment = z.object({
  ...databaseConfig,
  REDIS_URL: secret().optional(),
  SENDER_HOST: z.string().prefault('127.0.0.1'),
  SENDER_PORT: port().prefault('7002'),
  SENDER_OPS_HOST: z.string().prefault('127.0.0.1'),
  SENDER_OPS_PORT: port().optional(),
  LOG_LEVEL: logLevel().prefault('info'),
  MIGRATE_ON_START: flag().prefault('true'),
  ...tracingConfig,
})

/** Reads the configuration; throws one error that names every variable that is wrong. */
export function senderConfig(env: Record<string, string | undefined>): SenderConfig {
  const variables = readConfig(Environment, env)
  return {
    database: { url: variables.DATABASE_URL, connectionsMax: variables.DATABASE_CONNECTIONS },
    redisUrl: variables.REDIS_URL,
    listen: { host: variables.SENDER_HOST, port: variables.SENDER_PORT },
    operations: {
      host: variables.SENDER_OPS_HOST,
      port: operationsPort(variables.SENDER_OPS_PORT, variables.SENDER_PORT),
    },
    logLevel: variables.LOG_LEVEL,
    migrateOnStart: variables.MIGRATE_ON_START,
    tracing: variables,
  }
}
