import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalRun, noLimits, type Service, startLocal } from '@pushkeep/local-runner'
import { connect, type Database } from '@pushkeep/store'
import { createRandom, type Random } from '../random.ts'
import { type Calls, createCalls } from './calls.ts'

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

/** A time in which pushes may have arrived whose outcomes were then lost. In ms. */
export interface Doubt {
  from: number
  until: number
}

export interface World {
  backend: Backend
  random: Random
  run: LocalRun
  database: Database
  calls: Calls
  simulator(method: string, path: string, body?: unknown): Promise<unknown>
  /** While this file is there, the providers' names do not resolve. */
  noNamesFile: string
  /** Ids of accepted messages: what they were for, and how many recipients they must have. */
  accepted: Map<string, { person: string | null; at: number; recipients: number | null }>
  owners: Map<string, Ownership[]>
  /** What the faults so far leave in doubt, and nothing else does. */
  doubts: Doubt[]
  close(): Promise<void>
}

/** Loaded by the workers before anything else. */
const preload = new URL('./names.ts', import.meta.url).href

/** Starts everything as processes: two of each service, three of workers, the simulator as the witness. */
export async function openWorld(seed: number, backend: Backend): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-chaos-'))
  const noNamesFile = join(directory, 'no-names')
  const run = await startLocal({
    directory,
    workers: 3,
    services: 2,
    logLevel: 'warn',
    restart: false,
    withRedis: backend === 'redis',
    env: {
      registry: noLimits,
      sender: noLimits,
      workers: { NODE_OPTIONS: `--import ${preload}`, CHAOS_NO_NAMES: noNamesFile },
    },
  })
  const database = connect({
    url: run.local.database_url,
    name: 'chaos',
    connectionsMax: 2,
    onError: () => {},
  })
  return {
    backend,
    random: createRandom(seed),
    run,
    database,
    noNamesFile,
    accepted: new Map(),
    owners: new Map(),
    doubts: [],
    calls: createCalls(run),
    simulator: (method, path, body) => ask(run, method, path, body),
    async close() {
      await database.end()
      await run.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

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
