import { coalesce } from './coalesce.ts'
import { type Database, inTransaction } from './connect.ts'
import { type Item, registerNew } from './new-registrations.ts'
import { withRaces } from './raced.ts'
import {
  applyCall,
  countNew,
  openBatch,
  type Registered,
  writeBatch,
} from './registration-batch.ts'
import { lockDevices, wantedBy } from './registration-lock.ts'
import type { Registration } from './registration-rule.ts'

/** Registers a device. Concurrent calls share statements, and are applied one after the other. */
export function createRegistrar(database: Database): (call: Registration) => Promise<Registered> {
  // What the last calls were: most are either first launches or refreshes of what is known.
  let areMostNew = true
  const register = coalesce<Item, Registered>({
    run: async (items) => {
      const first = areMostNew ? await withRaces(() => registerNew(database, items)) : []
      const rest = items.filter((_, n) => !first[n])
      const { results, newCount } = await withRaces(() => registerLocked(database, rest))
      areMostNew = newCount + items.length - rest.length > items.length / 2
      return items.map((_, n) => first[n] ?? next(results))
    },
    sizeMax: 200,
    runsMax: 2,
    waitingMax: 10_000,
  })
  return (call) => register({ call, wanted: wantedBy(call) })
}

function next(results: Registered[]): Registered {
  const result = results.shift()
  if (!result) throw new Error('a registration has no result')
  return result
}

interface Locked {
  results: Registered[]
  /** Devices that the database did not have. */
  newCount: number
}

/** Locks what the calls are about, decides them in memory, and writes what became of it. */
async function registerLocked(database: Database, items: readonly Item[]): Promise<Locked> {
  if (items.length === 0) return { results: [], newCount: 0 }
  return inTransaction(database, async (sql) => {
    const wanted = items.map((item) => item.wanted)
    const batch = openBatch(await lockDevices(sql, wanted))
    const results = items.map((item) => applyCall(batch, item.call, item.wanted))
    await writeBatch(sql, batch)
    return { results, newCount: countNew(batch) }
  })
}
