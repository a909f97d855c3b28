import { databaseConfig, flag, logLevel, port, tracingConfig } from '@pushkeep/runtime'
import { z } from 'zod'

/** The environment of the token registry. */
export const Config = z.object({
  ...databaseConfig,
  REGISTRY_HOST: z.string().default('127.0.0.1'),
  REGISTRY_PORT: port().prefault('7001'),
  /** Metrics, log level, health: for a private network. Port: ten above the other, if left out. */
  REGISTRY_OPS_HOST: z.string().default('127.0.0.1'),
  REGISTRY_OPS_PORT: port().optional(),
  LOG_LEVEL: logLevel().default('info'),
  /** Whether to apply missing migrations before listening. */
  MIGRATE_ON_START: flag().prefault('true'),
  ...tracingConfig,
})
export type Config = z.infer<typeof Config>
