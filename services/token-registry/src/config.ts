import {
  addressList,
  connectionConfig,
  databaseConfig,
  flag,
  integer,
  limitBuckets,
  limitConfig,
  logLevel,
  personCapConfig,
  port,
  type Secret,
  secret,
  tracingConfig,
} from '@pushkeep/runtime'
import { parseEncryptionKey } from '@pushkeep/store'
import { z } from 'zod'
import { publicHostForm } from './customerio/public-host.ts'
import { lifetimeDaysUsual } from './identity/verify.ts'

function isEncryptionKey(key: Secret): boolean {
  try {
    parseEncryptionKey(key.reveal())
    return true
  } catch {
    return false
  }
}

/** The environment of the token registry. */
export const Config = z.object({
  ...databaseConfig,
  REGISTRY_HOST: z.string().default('127.0.0.1'),
  REGISTRY_PORT: port().prefault('7001'),
  /** Metrics, log level, health: for a private network. Port: ten above the other, if left out. */
  REGISTRY_OPS_HOST: z.string().default('127.0.0.1'),
  REGISTRY_OPS_PORT: port().optional(),
  LOG_LEVEL: logLevel().default('info'),
  /** Opens the secrets that identity tokens may be signed with (HS256). */
  PUSHKEEP_IDENTITY_KEY: secret()
    .refine(isEncryptionKey, 'must be 32 random bytes in base64, or up to three such by commas')
    .optional(),
  /** Longest that an identity token may still be good, in days. */
  REGISTRY_IDENTITY_TOKEN_DAYS: integer({ min: 1, max: 3650 }).prefault(String(lifetimeDaysUsual)),
  /** Host, and path if any, by which clients reach the registry, without a scheme. */
  REGISTRY_PUBLIC_HOST: z
    .string()
    .regex(publicHostForm, 'must be a host without a scheme, such as push.example.com')
    .optional(),
  /** Whether to apply missing migrations before listening. */
  MIGRATE_ON_START: flag().prefault('true'),
  /** Where limits are counted across processes; unset: in PostgreSQL. */
  REDIS_URL: secret().optional(),
  /** Reverse proxies whose `X-Forwarded-*` counts. */
  REGISTRY_TRUSTED_PROXIES: addressList().optional(),
  ...connectionConfig,
  ...personCapConfig,
  LIMIT_BUCKETS: limitBuckets(),
  ...limitConfig(
    'address',
    'public_key',
    'secret_key',
    'person',
    'device',
    'person_events',
    'workspace_events',
    'refusals',
    'keyless_bytes',
  ),
  ...tracingConfig,
})
export type Config = z.infer<typeof Config>
