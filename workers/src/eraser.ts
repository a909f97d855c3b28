import { type Database, eraseSlice } from '@pushkeep/store'

export interface EraserOptions {
  database: Database
  /** Of all workers one erases. */
  isLeading: () => boolean
  /** How often it looks for erasures that are due, in milliseconds. */
  pollMs: number
  onError: (error: unknown) => void
}

/** Slices that follow one another before it looks whether it still leads. */
const slicesMax = 50

/**
 * Finishes what erasing people began: takes their names out of messages, slice by slice. What is left to do
 * stands in PostgreSQL, so that another worker goes on where this one ends.
 */
export function startEraser({ database, isLeading, pollMs, onError }: EraserOptions) {
  let isStopped = false
  let working: Promise<void> | null = null

  async function work() {
    for (let slice = 0; slice < slicesMax; slice += 1) {
      if (isStopped || !isLeading() || !(await eraseSlice(database))) return
    }
  }

  const timer = setInterval(() => {
    working ??= work()
      .catch(onError)
      .finally(() => {
        working = null
      })
  }, pollMs)
  return {
    async stop() {
      isStopped = true
      clearInterval(timer)
      await working
    },
  }
}
