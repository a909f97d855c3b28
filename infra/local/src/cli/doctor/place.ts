import { type Endpoints, providerEndpoints } from '@pushkeep/providers'
import { localDirectory, pathsOf } from '../../directory.ts'
import { type Local, readLocal } from '../../local.ts'
import type { Env } from '../session.ts'

/** Where the installation is that is looked at: the one of the environment, or else the one here. */
export interface Place {
  /** null: the queues are in PostgreSQL. */
  redisUrl: string | null
  /** Addresses of the two services. */
  services: { name: string; url: string }[]
  /** Addresses of operations ports. */
  operations: string[]
  endpoints: Endpoints
  /** PEM of the one authority that providers are trusted by; null: the usual ones. */
  caFile: string | null
  /** Folder of outcomes on this machine; null: none is named. */
  journal: string | null
  /** The directory of `./scripts/start`; null: the environment names another installation. */
  directory: string | null
  /** What runs with that directory. */
  local: Local | null
}

/** Reads the variables that the processes are given, and what a local run tells. */
export async function placeOf(env: Env): Promise<Place> {
  const directory = env.DATABASE_URL ? null : localDirectory(env)
  const local = directory === null ? null : await readLocal(directory)
  const services = [
    { name: 'token-registry', url: env.PUSHKEEP_REGISTRY_URL || local?.registry_url },
    { name: 'push-sender', url: env.PUSHKEEP_SENDER_URL || local?.sender_url },
  ]
  return {
    redisUrl: env.REDIS_URL || local?.redis_url || null,
    services: services.flatMap(({ name, url }) => (url ? [{ name, url: trimmed(url) }] : [])),
    operations: operationsOf(env, local),
    endpoints: {
      apnsProduction:
        env.APNS_PRODUCTION_URL || local?.apns_url || providerEndpoints.apnsProduction,
      apnsSandbox: env.APNS_SANDBOX_URL || local?.apns_sandbox_url || providerEndpoints.apnsSandbox,
      fcm: env.FCM_URL || local?.fcm_url || providerEndpoints.fcm,
      fcmToken: env.FCM_TOKEN_URL || local?.fcm_token_url || providerEndpoints.fcmToken,
    },
    caFile: env.PROVIDER_CA_FILE || local?.provider_ca_file || null,
    journal: env.OUTCOME_JOURNAL_DIR || (directory && local ? pathsOf(directory).outcomes : null),
    directory,
    local,
  }
}

function operationsOf(env: Env, local: Local | null): string[] {
  const named = env.PUSHKEEP_OPERATIONS_URLS?.split(',') ?? local?.metrics_urls ?? []
  return named.map((url) => trimmed(url.trim()).replace(/\/metrics$/, '')).filter(Boolean)
}

function trimmed(url: string): string {
  return url.replace(/\/$/, '')
}

/** Host and port of a URL, without the password that may stand in it. */
export function addressOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is no URL'
}
