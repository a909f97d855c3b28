import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './faults.ts'
import { gather, send, startLoad } from './load.ts'
import type { Scene } from './scene.ts'
import type { World } from './world.ts'

/** Faults under a stream of registrations, moves, logouts, one-person messages and broadcasts. */
export interface FaultScene extends Omit<Scene, 'play'> {
  /** Each fault as often as it says. */
  faults: [Fault, number][]
  /** Pause between faults, in ms. */
  everyMs: number
  /** People with a phone of their own. */
  people: number
  messagesPerSecond: number
}

/** Brings the faults in an order that the seed determines. */
export function faultScene({ faults, everyMs, people, messagesPerSecond, ...scene }: FaultScene) {
  return {
    ...scene,
    async play(world: World) {
      const crowd = await gather(world, scene.name.replaceAll(/\W+/g, '-'), people)
      const load = startLoad(world, crowd, messagesPerSecond)
      const injected: Record<string, number> = {}
      for (const [n, fault] of shuffled(world, faults.flatMap(repeat)).entries()) {
        if (n % 10 === 0) await send(world, 'all', null)
        await sleep(everyMs * (0.5 + world.random.next()))
        await fault.strike(world)
        injected[fault.kind] = (injected[fault.kind] ?? 0) + 1
      }
      await load.stop()
      return { injected, figures: [] }
    },
  } satisfies Scene
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
