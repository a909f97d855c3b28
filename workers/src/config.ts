import {
  databaseConfig,
  integer,
  logLevel,
  port,
  readConfig,
  type Secret,
  secret,
  tracingConfig,
} from '@pushkeep/runtime'
import { parseEncryptionKey } from '@pushkeep/store'
import { z } from 'zod'

const url = (fallback: string) => z.url('must be a URL').prefault(fallback)

function isEncryptionKey(key: Secret): boolean {
  try {
    parseEncryptionKey(key.reveal())
    return true
  } catch {
    return false
  }
}

/** The environment of the workers; docs/configuration.md describes each variable. */
const Environment = z.object({
  ...databaseConfig,
  REDIS_URL: secret().optional(),
  PUSHKEEP_ENCRYPTION_KEY: secret().refine(
    isEncryptionKey,
    'must be 32 random bytes in base64, or up to three such by commas',
  ),
  APNS_PRODUCTION_URL: url('https://api.push.apple.com'),
  APNS_SANDBOX_URL: url('https://api.sandbox.push.apple.com'),
  FCM_URL: url('https://fcm.googleapis.com'),
  FCM_TOKEN_URL: url('https://oauth2.googleapis.com/token'),
  PROVIDER_CA_FILE: z.string().optional(),
  MESSAGE_RETENTION_DAYS: integer({ min: 1, max: 3650 }).prefault('90'),
  TIMELINE_RETENTION_DAYS: integer({ min: 1, max: 3650 }).prefault('400'),
  OUTCOME_JOURNAL_DIR: z.string().optional(),
  WORKER_HOST: z.string().default('127.0.0.1'),
  WORKER_PORT: port().prefault('7003'),
  TRANSACTIONAL_CONCURRENCY: integer({ min: 1, max: 1000 }).prefault('64'),
  BULK_CONCURRENCY: integer({ min: 1, max: 200 }).prefault('40'),
  LANE_DOUBT_PEOPLE: integer({ min: 2, max: 1000 }).prefault('20'),
  LANE_DOUBT_SECONDS: integer({ min: 1, max: 86_400 }).prefault('600'),
  TEMPLATE_RENDER_MS: integer({ min: 5, max: 50 }).prefault('25'),
  CHUNK_STRANDED_MAX: integer({ min: 2, max: 100 }).prefault('10'),
  EVENT_RETENTION_DAYS: integer({ min: 1, max: 3650 }).prefault('90'),
  LOG_LEVEL: logLevel().default('info'),
  ...tracingConfig,
})

export type Config = z.infer<typeof Environment>

/** Reads the environment; throws one error that names everything that is wrong. */
export function readWorkersConfig(env: NodeJS.ProcessEnv): Config {
  return readConfig(Environment, env)
}
