import {
  addressList,
  type ConnectionLimits,
  capsOf,
  connectionConfig,
  databaseConfig,
  flag,
  limitBuckets,
  limitConfig,
  logLevel,
  operationsPort,
  personCapConfig,
  port,
  type Rates,
  ratesOf,
  readConfig,
  type Secret,
  scheduleCapConfig,
  secret,
  type TracingConfig,
  tracingConfig,
  usualConnections,
} from '@pushkeep/runtime'
import type { Caps } from '@pushkeep/store'
import { z } from 'zod'

/** What the push sender is told by its environment. */
export interface SenderConfig {
  database: { url: Secret; connectionsMax: number }
  /** Where the queues are, for the console alone: accepting never touches them. */
  redisUrl: Secret | undefined
  listen: { host: string; port: number }
  /** Reverse proxies whose `X-Forwarded-*` counts. */
  trustedProxies: string | undefined
  connections: ConnectionLimits
  /** Rates of its callers, and how many buckets of each are kept in memory. */
  limits: { rates: Rates; bucketsMax: number }
  /** Metrics, log level, health: for a private network. */
  operations: { host: string; port: number }
  /** Names by which that listener may be reached. */
  operationsHosts: string[]
  caps: Partial<Caps>
  logLevel: string
  migrateOnStart: boolean
  tracing: TracingConfig
}

const Environment = z.object({
  ...databaseConfig,
  REDIS_URL: secret().optional(),
  SENDER_HOST: z.string().prefault('127.0.0.1'),
  SENDER_PORT: port().prefault('7002'),
  SENDER_TRUSTED_PROXIES: addressList().optional(),
  ...connectionConfig,
  SENDER_OPS_HOST: z.string().prefault('127.0.0.1'),
  SENDER_OPS_PORT: port().optional(),
  LOG_LEVEL: logLevel().prefault('info'),
  MIGRATE_ON_START: flag().prefault('true'),
  ...personCapConfig,
  ...scheduleCapConfig,
  LIMIT_BUCKETS: limitBuckets(),
  ...limitConfig(
    'address',
    'public_key',
    'secret_key',
    'console',
    'messages',
    'recipients',
    'refusals',
    'sign_ins',
  ),
  ...tracingConfig,
})

/** Reads the configuration; throws one error that names every variable that is wrong. */
export function senderConfig(env: Record<string, string | undefined>): SenderConfig {
  const variables = readConfig(Environment, env)
  return {
    database: { url: variables.DATABASE_URL, connectionsMax: variables.DATABASE_CONNECTIONS },
    redisUrl: variables.REDIS_URL,
    listen: { host: variables.SENDER_HOST, port: variables.SENDER_PORT },
    trustedProxies: variables.SENDER_TRUSTED_PROXIES,
    connections: {
      ...usualConnections,
      max: variables.HTTP_CONNECTIONS,
      perAddress: variables.HTTP_CONNECTIONS_PER_ADDRESS,
    },
    operationsHosts: variables.OPERATIONS_HOSTS,
    limits: { rates: ratesOf(variables), bucketsMax: variables.LIMIT_BUCKETS },
    operations: {
      host: variables.SENDER_OPS_HOST,
      port: operationsPort(variables.SENDER_OPS_PORT, variables.SENDER_PORT),
    },
    caps: capsOf(variables),
    logLevel: variables.LOG_LEVEL,
    migrateOnStart: variables.MIGRATE_ON_START,
    tracing: variables,
  }
}
