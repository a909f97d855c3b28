import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Local,
  type LocalOptions,
  type LocalRun,
  noLimits,
  startLocal,
} from '@pushkeep/local-runner'
import {
  connect,
  createApp,
  createKey,
  createWorkspace,
  type Database,
  parseEncryptionKey,
  putCredentials,
} from '@pushkeep/store'

export interface Scene {
  local: Local
  database: Database
  appNo: number
  workspaceNo: number
  /** Process ids by name. */
  pids: Record<string, number>
  /** Calls a service with the secret key and returns its JSON. */
  call(method: string, url: string, body?: unknown): Promise<unknown>
  /** What the simulator issued, and the certificate to trust. */
  credentials(): Promise<Credentials>
  /** In base64, as `PUSHKEEP_ENCRYPTION_KEY` takes it. */
  encryptionKey: string
  close(): Promise<void>
}

export interface Credentials {
  apns: { teamId: string; keyId: string; topic: string; privateKeyPem: string }
  fcm: { projectId: string; serviceAccount: { client_email: string; private_key: string } }
  ca: string
}

export interface SceneOptions {
  withRedis: boolean
  workers: number
  /** Further variables of processes. */
  env?: LocalOptions['env']
}

/** Everything in fresh processes, in a folder that goes when it is closed. */
export async function openScene(options: SceneOptions): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-bench-'))
  const running = await startLocal({
    directory,
    workers: options.workers,
    logLevel: 'warn',
    journal: 'full',
    withRedis: options.withRedis,
    // Figures are of what the product does, from one address and one key.
    env: { registry: noLimits, sender: noLimits, ...options.env },
  })
  const { local } = running
  const database = connect({ url: local.database_url, name: 'bench', connectionsMax: 2 })
  const { rows } = await database.query<{ app_no: number; workspace_no: number }>(
    'select app_no, workspace_no from apps where id = $1',
    [local.app_id],
  )
  const [app] = rows
  if (!app) throw new Error('the app is not there')
  return {
    local,
    database,
    appNo: app.app_no,
    workspaceNo: app.workspace_no,
    pids: pidsOf(running),
    encryptionKey: running.encryptionKey,
    call: (method, url, body) => callWith(local.secret_key, method, url, body),
    async credentials() {
      const { ca_file, credentials_file } = running.simulator.child?.ready ?? {}
      const { apns, fcm } = JSON.parse(await readFile(String(credentials_file), 'utf8'))
      return { apns, fcm, ca: await readFile(String(ca_file), 'utf8') }
    },
    async close() {
      await database.end()
      await running.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Calls a service with a key and returns its JSON; throws where the answer is no 2xx. */
async function callWith(
  key: string,
  method: string,
  url: string,
  body?: unknown,
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} answered ${response.status}: ${text}`)
  return text === '' ? null : JSON.parse(text)
}

/** Another workspace of the installation, with an app and APNs credentials of its own. */
export async function openTenant(scene: Scene, name: string): Promise<Scene> {
  const { database, local } = scene
  const workspace = await createWorkspace(database, name)
  const { workspaceNo } = workspace
  const app = await createApp(database, workspaceNo, name)
  const { appNo } = app
  const issued = (await (
    await fetch(`${local.simulator_url}/credentials`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, topic: `com.example.${name}` }),
    })
  ).json()) as Credentials
  const { privateKeyPem: secret, ...settings } = issued.apns
  await putCredentials(database, parseEncryptionKey(scene.encryptionKey), {
    appNo,
    provider: 'apns',
    settings,
    secret,
  })
  const owner = { workspaceNo, appNo: null, kind: 'secret', name, role: 'admin' } as const
  const { key } = await createKey(database, owner)
  return {
    ...scene,
    appNo,
    workspaceNo,
    local: { ...local, workspace_id: workspace.id, app_id: app.id, secret_key: key },
    call: (method, url, body) => callWith(key, method, url, body),
  }
}

function pidsOf(running: LocalRun): Record<string, number> {
  const { postgres, redis, simulator, registry, sender, workers } = running
  const named = { postgres, redis, simulator, registry, sender }
  const pids: Record<string, number> = {}
  for (const [name, service] of Object.entries(named)) {
    if (service?.child) pids[name] = service.child.pid
  }
  for (const [index, { child }] of workers.entries()) {
    if (child) pids[`workers-${index + 1}`] = child.pid
  }
  return pids
}

/** The n-th token of a seed, from 1. */
export function tokenAt(seed: string, n: number): string {
  return createHash('sha256').update(`${seed}${n}`).digest('hex')
}

/** Stores iOS devices from one number to another, with tokens that the seed determines (`tokenAt`). */
export async function seedDevices(
  scene: Scene,
  last: number,
  seed: string,
  first = 1,
): Promise<void> {
  // Millions take longer than a statement of the product may.
  const client = await scene.database.connect()
  try {
    await client.query('set statement_timeout = 0')
    await client.query(
      `insert into devices (app_no, token_hash, token, platform, provider, last_used,
                            registered_at, ordered_at)
       select $1, substr(encode(sha256(convert_to(token, 'UTF8')), 'hex'), 1, 32)::uuid, token,
              'ios', 'apns', extract(epoch from now())::bigint, now(), now()
       from (select encode(sha256(convert_to($3 || i, 'UTF8')), 'hex') as token
             from generate_series($4::bigint, $2::bigint) i) t`,
      [scene.appNo, last, seed, first],
    )
    await client.query('vacuum analyze devices')
  } finally {
    client.release(true)
  }
}

/** Makes every device one of Android, by its provider alone: the simulator takes any token. */
export async function useFcm(scene: Scene): Promise<void> {
  await scene.database.query(`update devices set platform = 'android', provider = 'fcm'`)
  await scene.database.query('vacuum full analyze devices')
}

/** Gives each device a person of its own, with a few attributes. */
export async function seedOwners(scene: Scene, seed: string): Promise<void> {
  await scene.database.query(
    `with person as (
       insert into people (workspace_no, id, attributes)
       select $1, $2 || '-owner-' || device_no, jsonb_build_object(
                'first_name', 'Name ' || device_no, 'plan', 'pro', 'visits', device_no,
                'address', jsonb_build_object('city', 'Oslo', 'zip', '0150'))
       from devices where person_no is null
       returning person_no, id
     )
     update devices d set person_no = p.person_no
     from person p where d.device_no = substring(p.id from '[0-9]+$')::bigint`,
    [scene.workspaceNo, seed],
  )
  await scene.database.query('vacuum full analyze devices')
  await scene.database.query('vacuum analyze people')
}
