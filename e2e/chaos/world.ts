import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LocalRun, type Service, startLocal } from '@pushkeep/local-runner'
import { connect, type Database } from '@pushkeep/store'
import { createRandom, type Random } from './random.ts'

export type Backend = 'postgres' | 'redis'

/** One phone of the world. */
export interface Phone {
  token: string
  platform: 'ios' | 'android'
  /** The provider calls it dead, from before the first push. */
  isDead: boolean
}

/** What the registry has acknowledged about a phone's owner, oldest first. Times in ms. */
export interface Ownership {
  at: number
  person: string | null
}

export interface World {
  backend: Backend
  random: Random
  run: LocalRun
  database: Database
  /** Calls a service until it answers: a fault is no answer. Counts what a retry had to cover. */
  call(method: string, url: string, body?: unknown, key?: string): Promise<unknown>
  simulator(method: string, path: string, body?: unknown): Promise<unknown>
  /** How long a caller waits before it repeats a call, how often they did, and the most for one call. */
  retries: { pauseMs: number; total: number; worst: number }
  /** Ids of accepted messages: what they were for, and how many recipients they must have. */
  accepted: Map<string, { person: string | null; at: number; recipients: number | null }>
  owners: Map<string, Ownership[]>
  close(): Promise<void>
}

const callDeadlineMs = 60_000

/** Starts everything as processes: three workers, the simulator as the witness. */
export async function openWorld(seed: number, backend: Backend): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-chaos-'))
  const run = await startLocal({
    directory,
    workers: 3,
    logLevel: 'warn',
    restart: false,
    withRedis: backend === 'redis',
  })
  const database = connect({
    url: run.local.database_url,
    name: 'chaos',
    connectionsMax: 2,
    onError: () => {},
  })
  const retries = { pauseMs: 150, total: 0, worst: 0 }
  return {
    backend,
    random: createRandom(seed),
    run,
    database,
    retries,
    accepted: new Map(),
    owners: new Map(),
    call: (method, url, body, key) => persist(run, retries, { method, url, body, key }),
    simulator: (method, path, body) => ask(run, method, path, body),
    async close() {
      await database.end()
      await run.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

interface Call {
  method: string
  url: string
  body: unknown
  key: string | undefined
}

/** Repeats a call until it has a 2xx. A 4xx is a bug and ends the run. */
async function persist(run: LocalRun, retries: World['retries'], call: Call): Promise<unknown> {
  const deadline = Date.now() + callDeadlineMs
  for (let tries = 0; ; tries += 1) {
    const answer = await attempt(run, call)
    if (answer !== null) {
      retries.total += tries
      retries.worst = Math.max(retries.worst, tries)
      return answer.body
    }
    if (Date.now() > deadline) throw new Error(`${call.method} had no answer for a minute`)
    await sleep(retries.pauseMs)
  }
}

async function attempt(run: LocalRun, call: Call): Promise<{ body: unknown } | null> {
  try {
    const response = await fetch(call.url, {
      method: call.method,
      headers: {
        authorization: `Bearer ${run.local.secret_key}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(call.key === undefined ? {} : { 'idempotency-key': call.key }),
      },
      signal: AbortSignal.timeout(20_000),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    })
    const text = await response.text()
    if (response.ok) return { body: text === '' ? null : JSON.parse(text) }
    if (response.status < 500) throw new Refused(`${response.status} ${text}`)
    return null
  } catch (error) {
    if (error instanceof Refused) throw error
    return null
  }
}

class Refused extends Error {}

async function ask(run: LocalRun, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(run.local.simulator_url + path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`simulator ${method} ${path}: ${response.status} ${text}`)
  return text === '' ? null : JSON.parse(text)
}

/** A token that the seed and its name determine. */
export function tokenOf(platform: Phone['platform'], name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return platform === 'ios' ? hex : `${hex.slice(0, 20)}:APA91b${hex}${hex}`
}

/** The pid of the server itself, where a process only guards one. */
export function pidOf(service: Service): number | null {
  const { child } = service
  if (!child) return null
  return typeof child.ready.pid === 'number' ? child.ready.pid : child.pid
}
