import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Local, type LocalRun, startLocal } from '@pushkeep/local-runner'
import { connect, type Database } from '@pushkeep/store'

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
  credentials(): Promise<{ apns: unknown; ca: string }>
  close(): Promise<void>
}

export interface SceneOptions {
  withRedis: boolean
  workers: number
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
    async call(method, url, body) {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${local.secret_key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} answered ${response.status}: ${text}`)
      return text === '' ? null : JSON.parse(text)
    },
    async credentials() {
      const { ca_file, credentials_file } = running.simulator.child?.ready ?? {}
      const { apns } = JSON.parse(await readFile(String(credentials_file), 'utf8'))
      return { apns, ca: await readFile(String(ca_file), 'utf8') }
    },
    async close() {
      await database.end()
      await running.stop()
      await rm(directory, { recursive: true, force: true })
    },
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

/** Stores iOS devices up to a number, with tokens that the seed determines. */
export async function seedDevices(scene: Scene, count: number, seed: string): Promise<void> {
  await scene.database.query(
    `insert into devices (app_no, token_hash, token, platform, provider, last_used,
                          registered_at, ordered_at)
     select $1, substr(encode(sha256(convert_to(token, 'UTF8')), 'hex'), 1, 32)::uuid, token,
            'ios', 'apns', extract(epoch from now())::bigint, now(), now()
     from (select encode(sha256(convert_to($3 || i, 'UTF8')), 'hex') as token
           from generate_series((select count(*) from devices) + 1, $2::bigint) i) t`,
    [scene.appNo, count, seed],
  )
  await scene.database.query('vacuum analyze devices')
}
