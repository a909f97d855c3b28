import type { IdentityMode, Json, Provider } from '@pushkeep/domain'
import { v7 as uuidv7 } from 'uuid'
import type { Sql } from './connect.ts'
import { type EncryptionKey, seal, unseal } from './encryption.ts'

export interface Workspace {
  workspaceNo: number
  id: string
}

export interface App {
  appNo: number
  id: string
  workspaceNo: number
  name: string
  createdAt: Date
  /** Whether its pushes carry the keys that Customer.io's SDKs need. */
  sdkKeys: boolean
}

const appColumns = `
  app_no as "appNo", id, workspace_no as "workspaceNo", name, created_at as "createdAt",
  sdk_keys as "sdkKeys"`

/** Creates a workspace. */
export async function createWorkspace(sql: Sql, name: string): Promise<Workspace> {
  const { rows } = await sql.query<Workspace>(
    `insert into workspaces (id, name) values ($1, $2) returning workspace_no as "workspaceNo", id`,
    [uuidv7(), name],
  )
  return one(rows)
}

/** The workspace with this id, or null. */
export async function findWorkspace(sql: Sql, id: string): Promise<Workspace | null> {
  const { rows } = await sql.query<Workspace>(
    `select workspace_no as "workspaceNo", id from workspaces where id = $1`,
    [id],
  )
  return rows[0] ?? null
}

/** What a workspace is called; its number is known to be one. */
export async function workspaceName(
  sql: Sql,
  workspaceNo: number,
): Promise<{ id: string; name: string }> {
  const { rows } = await sql.query<{ id: string; name: string }>(
    'select id, name from workspaces where workspace_no = $1',
    [workspaceNo],
  )
  return one(rows)
}

/**
 * Creates an app, without credentials yet. `identityMode`: whether its public keys need identity tokens; as
 * in the schema, `off` unless it is given. Programs that people create apps with give it (`modeOfNewApp`).
 */
export async function createApp(
  sql: Sql,
  workspaceNo: number,
  name: string,
  identityMode: IdentityMode = 'off',
): Promise<App> {
  const { rows } = await sql.query<App>(
    `insert into apps (id, workspace_no, name, identity_mode) values ($1, $2, $3, $4)
     returning ${appColumns}`,
    [uuidv7(), workspaceNo, name, identityMode],
  )
  return one(rows)
}

/** The apps of a workspace, oldest first. */
export async function appsOf(sql: Sql, workspaceNo: number): Promise<App[]> {
  const { rows } = await sql.query<App>(
    `select ${appColumns} from apps where workspace_no = $1 order by app_no`,
    [workspaceNo],
  )
  return rows
}

/** The app with this number, or null. */
export async function appOfNo(sql: Sql, appNo: number): Promise<App | null> {
  const { rows } = await sql.query<App>(
    `select app_no as "appNo", id, workspace_no as "workspaceNo", name from apps where app_no = $1`,
    [appNo],
  )
  return rows[0] ?? null
}

/** The app with this id, whatever its workspace, or null. */
export async function findApp(sql: Sql, id: string): Promise<App | null> {
  const { rows } = await sql.query<App>(`select ${appColumns} from apps where id = $1`, [id])
  return rows[0] ?? null
}

/**
 * Whether pushes to an app are to carry the keys that Customer.io's SDKs need. Counts the versions of
 * its credentials up: whoever sends renders by what it found when it opened them.
 */
export async function setSdkKeys(sql: Sql, appNo: number, sdkKeys: boolean): Promise<void> {
  await sql.query(
    `with changed as (
       update apps set sdk_keys = $2 where app_no = $1 and sdk_keys <> $2 returning app_no
     )
     update app_providers set version = version + 1 where app_no in (select app_no from changed)`,
    [appNo, sdkKeys],
  )
}

export interface NewCredentials {
  appNo: number
  provider: Provider
  /** What may be shown: topic, team and key id; project id. */
  settings: Record<string, Json>
  /** The key material. */
  secret: string
  /** When they end, where somebody has said so. */
  expiresAt?: Date | null
}

/**
 * Stores or replaces an app's credentials, encrypted. A lane that was paused for a fault of the old
 * ones goes on.
 */
export async function putCredentials(
  sql: Sql,
  key: EncryptionKey,
  credentials: NewCredentials,
): Promise<void> {
  const { appNo, provider, settings, secret } = credentials
  await sql.query(
    `with due as (
       update chunks set rescue_at = now() where app_no = $1 and provider = $2 and state = 'ready'
     )
     insert into app_providers (app_no, provider, settings, secret, expires_at)
     values ($1, $2, $3, $4, $5)
     on conflict (app_no, provider) do update
     set settings = excluded.settings, secret = excluded.secret, updated_at = now(),
         expires_at = excluded.expires_at,
         version = app_providers.version + 1,
         doubted_since = null, pause_cause = null,
         paused_at = null, pause_reason = null`,
    [
      appNo,
      provider,
      settings,
      seal(key, secret, sealContext(appNo, provider)),
      credentials.expiresAt ?? null,
    ],
  )
}

export function sealContext(appNo: number, provider: Provider): string {
  return `${appNo}|${provider}`
}

export interface AppProvider {
  settings: Record<string, Json>
  secret: string
  /** Counts up with each replacement: whoever keeps a session open sees that it is stale. */
  version: number
  /** The app's setting. */
  sdkKeys: boolean
}

/** An app's credentials in clear, for the process that sends; null where it has none. */
export async function loadCredentials(
  sql: Sql,
  key: EncryptionKey,
  appNo: number,
  provider: Provider,
): Promise<AppProvider | null> {
  const { rows } = await sql.query<{
    settings: Record<string, Json>
    secret: Buffer
    version: number
    sdkKeys: boolean
  }>(
    `select p.settings, p.secret, p.version, a.sdk_keys as "sdkKeys"
     from app_providers p join apps a using (app_no) where app_no = $1 and provider = $2`,
    [appNo, provider],
  )
  const [row] = rows
  return row ? { ...row, secret: unseal(key, row.secret, sealContext(appNo, provider)) } : null
}

/** The delivery that led to a pause, and devices of how many people got the same answer. */
export interface PauseCause {
  messageNo: string
  deviceNo: number
  agreed: number
}

/** Stops an app's lane with a reason that people see. Returns false where it was stopped already. */
export async function pauseProvider(
  sql: Sql,
  appNo: number,
  provider: Provider,
  reason: string,
  cause: PauseCause | null = null,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `update app_providers
     set paused_at = now(), pause_reason = $3,
         pause_cause = case when $4::bigint is not null then jsonb_build_object(
           'message_no', $4::bigint, 'device_no', $5::bigint, 'agreed', $6::int) end
     where app_no = $1 and provider = $2 and paused_at is null`,
    [
      appNo,
      provider,
      reason,
      cause?.messageNo ?? null,
      cause?.deviceNo ?? null,
      cause?.agreed ?? null,
    ],
  )
  return rowCount === 1
}

/** The delivery that led to a pause, as operators see it. */
export interface CauseOfPause {
  /** null: the message is not kept any more. */
  messageId: string | null
  deviceNo: number
  /** null: the device has no person, or is not kept any more. */
  personId: string | null
  /** Devices of so many people got the same answer. */
  agreed: number
}

/** How an app's lanes stand. */
export interface ProviderState {
  provider: Provider
  settings: Record<string, Json>
  pausedAt: Date | null
  pauseReason: string | null
  /** What led to the pause; null: it is not known, or the lane is not paused. */
  pauseCause: CauseOfPause | null
  /** Set while the mass-bounce guard has tripped: what was found dead since is in doubt. */
  guard: { since: number; reason: string } | null
  /** When its credentials were stored, and when they end, where somebody has said so. */
  storedAt: Date
  expiresAt: Date | null
}

const stateColumns = `
  provider, settings, paused_at as "pausedAt", pause_reason as "pauseReason",
  case when paused_at is not null and pause_cause is not null then json_build_object(
    'messageId', (select id from messages where message_no = (pause_cause ->> 'message_no')::bigint),
    'deviceNo', (pause_cause ->> 'device_no')::bigint,
    'personId', (select p.id from devices d join people p on p.person_no = d.person_no
                 where d.app_no = app_providers.app_no
                   and d.device_no = (pause_cause ->> 'device_no')::bigint),
    'agreed', (pause_cause ->> 'agreed')::int) end as "pauseCause",
  case when guarded_since is not null then json_build_object(
    'since', extract(epoch from guarded_since)::float8 * 1000,
    'reason', coalesce(guard_reason, 'mass bounce')) end as guard,
  updated_at as "storedAt", expires_at as "expiresAt"`

/** The providers of an app, without their secrets. */
export async function providersOf(sql: Sql, appNo: number): Promise<ProviderState[]> {
  const { rows } = await sql.query<ProviderState>(
    `select ${stateColumns} from app_providers where app_no = $1 order by provider`,
    [appNo],
  )
  return rows
}

/** The providers of several apps, without their secrets. */
export async function providersOfAll(
  sql: Sql,
  appNos: readonly number[],
): Promise<(ProviderState & { appNo: number })[]> {
  const { rows } = await sql.query<ProviderState & { appNo: number }>({
    name: 'providers-of-all',
    text: `select app_no as "appNo", ${stateColumns} from app_providers
           where app_no = any($1) order by app_no, provider`,
    values: [appNos],
  })
  return rows
}

function one<T>(rows: T[]): T {
  const [row] = rows
  if (!row) throw new Error('a statement that returns a row returned none')
  return row
}
