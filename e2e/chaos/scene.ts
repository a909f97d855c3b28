import type { Backend, World } from './world.ts'

/** One more thing that a scene measured, and whether it is as it must be. */
export interface Figure {
  name: string
  value: string
  isWell: boolean
}

/** What a scene did. */
export interface Played {
  /** Faults by kind. */
  injected: Record<string, number>
  figures: Figure[]
}

/** How many pushes may be doubled: a share of all arrivals, or so many for each time of doubt. */
export type DoubledMax = { share: number } | { eachDoubt: number }

/** Faults and load in a world of their own; the verdict on what became of it is the same for all. */
export interface Scene {
  name: string
  doubledMax: DoubledMax
  /** How often one call may have to be repeated. */
  repeatsMax?: number
  /** Where the queues have to be; left out: anywhere. */
  backend?: Backend
  play(world: World): Promise<Played>
}
