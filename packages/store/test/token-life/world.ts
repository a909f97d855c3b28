import type { Provider } from '@pushkeep/domain'
import {
  createRegistrar,
  type Database,
  type LeasedChunk,
  type Recipient,
  type Registered,
  type Registration,
} from '../../src/index.ts'
import { androidToken, createScene, iosToken, type Scene } from '../fixtures.ts'
import { tokens } from './commands.ts'
import type { Life } from './life.ts'

/** One thing to do: on the database, and then, as often as it takes, in the model. */
export interface Deed {
  act(): Promise<void>
  /** Says what of it the model cannot explain, or null. */
  explain(life: Life, now: number): string | null
}

/** A recipient that a worker claimed, and what it has to know to tell what became of it. */
export interface Claimed {
  no: number
  message: string
  token: string
  chunk: LeasedChunk
  recipient: Recipient
  step: number
  isAnswered: boolean
}

/** A chunk as its present holder knows it. */
export interface Held {
  chunkNo: string
  lease: string
  leased: LeasedChunk
  claimed: number
}

/** An app of its own in the test's database, with what its clients and workers remember. */
export interface World extends Scene {
  /** Two nodes: registrations of one share statements, those of two meet in the database. */
  registrars: ((call: Registration) => Promise<Registered>)[]
  realTokens: Map<string, string>
  messages: { name: string; id: string; messageNo: string; onUnknown: 'retry' | 'give_up' }[]
  claimed: Claimed[]
  held: Map<string, Held>
  /** The clients' clock: one tick a step, none within. */
  ticks: number[]
}

export async function createWorld(database: Database): Promise<World> {
  const scene = await createScene(database)
  return {
    ...scene,
    registrars: [createRegistrar(database), createRegistrar(database)],
    realTokens: new Map(tokens.map((name) => [name, realToken(name)])),
    messages: [],
    claimed: [],
    held: new Map(),
    ticks: [],
  }
}

/** One token is Android's, so that a broadcast has chunks of two providers. */
function realToken(name: string): string {
  return name === 't4' ? androidToken() : iosToken()
}

export function platformOf(token: string): 'ios' | 'android' {
  return token === 't4' ? 'android' : 'ios'
}

export const providers = ['apns', 'fcm'] as const satisfies readonly Provider[]

/** The next tick: after everything that was done, and before all that is done from here on. */
export function tick(world: World): number {
  const next = waitPast(Date.now())
  waitPast(next)
  world.ticks.push(next)
  return next
}

function waitPast(time: number): number {
  for (;;) {
    const now = Date.now()
    if (now > time) return now
  }
}

/** The tick so many steps ago, or the first. */
export function tickAgo(world: World, ago: number): number {
  return world.ticks[Math.max(0, world.ticks.length - 1 - ago)] ?? 0
}
