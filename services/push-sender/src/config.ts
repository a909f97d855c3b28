import { isIP } from 'node:net'
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
  /** Where the queues are, for the console alone: accepting never touches them. */
  redisUrl: Secret | undefined
  listen: { host: string; port: number }
  /** Reverse proxies whose `X-Forwarded-*` counts. */
  trustedProxies: string | undefined
  /** Metrics, log level, health: for a private network. */
  operations: { host: string; port: number }
  /** Names by which that listener may be reached. */
  operationsHosts: string[]
  logLevel: string
  migrateOnStart: boolean
  tracing: TracingConfig
}

const named = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** Addresses and networks by commas, such as `10.0.0.0/8, loopback`. */
function addressList() {
  return z
    .string()
    .refine(
      (text) => text.split(',').every((part) => isAddress(part.trim())),
      'must be addresses, networks (10.0.0.0/8), loopback, linklocal or uniquelocal, by commas',
    )
}

function isAddress(text: string): boolean {
  const [address = '', bits] = text.split('/')
  const version = isIP(address)
  if (bits === undefined) return version > 0 || named.has(text)
  const bitsMax = version === 4 ? 32 : 128
  return version > 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax
}

const Environment = z.object({
  ...databaseConfig,
  REDIS_URL: secret().optional(),
  SENDER_HOST: z.string().prefault('127.0.0.1'),
  SENDER_PORT: port().prefault('7002'),
  SENDER_TRUSTED_PROXIES: addressList().optional(),
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
    trustedProxies: variables.SENDER_TRUSTED_PROXIES,
    operationsHosts: variables.OPERATIONS_HOSTS,
    operations: {
      host: variables.SENDER_OPS_HOST,
      port: operationsPort(variables.SENDER_OPS_PORT, variables.SENDER_PORT),
    },
    logLevel: variables.LOG_LEVEL,
    migrateOnStart: variables.MIGRATE_ON_START,
    tracing: variables,
  }
}
