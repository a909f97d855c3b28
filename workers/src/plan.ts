import { setTimeout as delay } from 'node:timers/promises'
import { beginMessage, type Database, planSlice } from '@pushkeep/store'

/** Longest rest between two slices, in ms. */
const restMaxMs = 1000

/**
 * Plans the audience of a message that is due, slice by slice, each in a transaction of its own: sending begins with
 * the first. It rests after each for as long as that took, which is faster than sending still, and leaves
 * processors to one-person messages. It stops between slices when this process is to end; the reconciler rings again.
 */
export async function planMessage(
  database: Database,
  messageNo: string,
  isStopping: () => boolean,
): Promise<void> {
  const begun = await beginMessage(database, messageNo)
  while (begun !== null && !isStopping()) {
    const began = performance.now()
    if (!(await planSlice(database, begun))) return
    await delay(Math.min(performance.now() - began, restMaxMs))
  }
}
