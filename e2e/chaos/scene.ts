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

/** Faults and load in a world of their own; the verdict on what became of it is the same for all. */
export interface Scene {
  name: string
  /** Share of arrivals that may be doubled. */
  doubledMax: number
  /** How often one call may have to be repeated. */
  repeatsMax?: number
  /** Where the queues have to be; left out: anywhere. */
  backend?: Backend
  play(world: World): Promise<Played>
}
