import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './faults.ts'
import * as faults from './faults.ts'
import { gather, send, startLoad } from './load.ts'
import type { Verdict } from './verdict.ts'
import type { Backend, World } from './world.ts'

export interface Scene {
  name: string
  /** Faults, as often as they stand here. */
  faults: [Fault, number][]
  /** Faults that the short pass brings. */
  short: [Fault, number][]
  /** Pause between faults, in ms. */
  everyMs: number
  /** Share of arrivals that may be doubled. */
  doubledMax: number
  /** How long callers wait before they repeat a call, and how often one may have to. */
  retry?: { pauseMs: number; most: number }
  backends?: Backend[]
}

export const scenes: Scene[] = [
  {
    name: 'kill -9',
    faults: [
      [faults.killWorker, 45],
      [faults.killRegistry, 10],
      [faults.killSender, 10],
    ],
    short: [[faults.killWorker, 3]],
    everyMs: 400,
    doubledMax: 0.001,
  },
  {
    name: 'stores killed',
    faults: [
      [faults.killPostgres, 6],
      [faults.killRedis, 6],
      [faults.freezeRedis, 4],
    ],
    short: [[faults.killPostgres, 1]],
    everyMs: 1500,
    doubledMax: 0.001,
    backends: ['redis'],
  },
  {
    name: 'queue wiped',
    faults: [[faults.wipeQueue, 25]],
    short: [[faults.wipeQueue, 3]],
    everyMs: 600,
    doubledMax: 0,
  },
  {
    name: 'GOAWAY and refused streams',
    faults: [
      [faults.goaway, 25],
      [faults.goawayEvery, 8],
      [faults.goawayUnprocessed, 8],
      [faults.refusedStreams, 8],
      [faults.fewStreams, 5],
    ],
    short: [
      [faults.goaway, 4],
      [faults.goawayUnprocessed, 2],
      [faults.refusedStreams, 2],
    ],
    everyMs: 300,
    doubledMax: 0,
  },
  {
    name: 'rolling restarts',
    faults: [[faults.restart, 20]],
    short: [[faults.restart, 3]],
    everyMs: 300,
    doubledMax: 0,
    // There is one process of each service here: a single repeat, once it is back, must do.
    retry: { pauseMs: 5000, most: 1 },
  },
  {
    name: 'provider away',
    faults: [
      [faults.unavailable, 8],
      [faults.refused, 5],
      [faults.slow, 5],
      [faults.silent, 2],
    ],
    short: [[faults.unavailable, 1]],
    everyMs: 500,
    // A silent connection leaves unknown outcomes; repeats of those are harmless, not absent.
    doubledMax: 0.05,
  },
]

/** Brings the faults of a scene, in an order that the seed determines, under load and a broadcast. */
export async function play(
  world: World,
  scene: Scene,
  isShort: boolean,
): Promise<Record<string, number>> {
  if (scene.retry) world.retries.pauseMs = scene.retry.pauseMs
  const crowd = await gather(world, scene.name.replaceAll(/\W+/g, '-'), isShort ? 60 : 300)
  const load = startLoad(world, crowd, isShort ? 20 : 60)
  const plan = shuffled(world, (isShort ? scene.short : scene.faults).flatMap(repeat))
  const injected: Record<string, number> = {}
  for (const [n, fault] of plan.entries()) {
    if (n % 10 === 0) await send(world, 'all', null)
    await sleep(scene.everyMs * (0.5 + world.random.next()))
    await fault.strike(world)
    injected[fault.kind] = (injected[fault.kind] ?? 0) + 1
  }
  await load.stop()
  return injected
}

function repeat([fault, times]: [Fault, number]): Fault[] {
  return Array.from({ length: times }, () => fault)
}

function shuffled(world: World, plan: Fault[]): Fault[] {
  return plan
    .map((fault) => ({ fault, order: world.random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ fault }) => fault)
}

/** Whether a scene came out as it must. */
export function isWell(scene: Scene, verdict: Verdict, worstRetries: number): boolean {
  if (scene.retry && worstRetries > scene.retry.most) return false
  const { lost, beyondCollapse, wrongPerson, wrongStatus, unbalanced, doubled, arrived } = verdict
  const isDoubledEnough = doubled > Math.floor(arrived * scene.doubledMax)
  return lost + beyondCollapse + wrongPerson + wrongStatus + unbalanced === 0 && !isDoubledEnough
}
