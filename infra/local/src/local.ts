import { z } from 'zod'
import { pathsOf, readJson } from './directory.ts'

/** What `local.json` tells while a local installation runs. */
export const Local = z.strictObject({
  registry_url: z.string(),
  sender_url: z.string(),
  /** `/metrics` of each process; beside it are `/log-level` and `/health/ready`. */
  metrics_urls: z.array(z.string()),
  /** The simulator's production listener of APNs. */
  apns_url: z.string(),
  apns_sandbox_url: z.string(),
  fcm_url: z.string(),
  fcm_token_url: z.string(),
  /** PEM of the authority behind the simulator's certificates. */
  provider_ca_file: z.string(),
  simulator_url: z.string(),
  workspace_id: z.string(),
  app_id: z.string(),
  secret_key: z.string(),
  public_key: z.string(),
  /** For whoever operates this installation: all of the console, the queues, log levels. */
  installation_key: z.string().optional(),
  console_url: z.string(),
  dashboard_url: z.string(),
  database_url: z.string(),
  /** Where the queues are; null: in PostgreSQL. */
  redis_url: z.string().nullable(),
})

export type Local = z.infer<typeof Local>

/** The installation that runs with this directory; null where none does. */
export async function readLocal(directory: string): Promise<Local | null> {
  const value = await readJson(pathsOf(directory).local)
  return value === null ? null : Local.parse(value)
}
