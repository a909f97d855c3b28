import type { Backend } from './world.ts'

export interface RunOptions {
  seed: number
  backend: Backend
  /** Scenes whose name holds one of these; none: all. */
  only: string[]
  /** One short scene with a few faults of nearly every kind. */
  isShort: boolean
  print: (line: string) => void
}
