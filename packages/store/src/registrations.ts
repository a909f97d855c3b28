import { type CoalescedRun, coalesce } from './coalesce.ts'
import { type Database, inTransaction, type Sql } from './connect.ts'
import { type Item, registerNew } from './new-registrations.ts'
import { withRaces } from './raced.ts'
import { refreshDevices } from './refresh-devices.ts'
import {
  applyCall,
  type Batch,
  countNew,
  openBatch,
  type Registered,
  writeBatch,
} from './registration-batch.ts'
import { lockDevices, type Wanted, wantedBy } from './registration-lock.ts'
import type { Registration } from './registration-rule.ts'

/**
 * Registers a device. Concurrent calls share statements, and are applied one after the other;
 * `onRun` is told how.
 */
export function createRegistrar(
  database: Database,
  onRun: (run: CoalescedRun) => void = () => {},
): (call: Registration) => Promise<Registered> {
  // What the last calls were: most are either first launches or refreshes of what is known.
  let areMostNew = true
  const register = coalesce<Item, Registered>({
    run: async (items) => {
      // Another run may come to know better meanwhile.
      const triesNew = areMostNew
      const first = await withRaces(() =>
        triesNew ? registerNew(database, items) : refreshDevices(database, items),
      )
      const rest = items.filter((_, n) => !first[n])
      const { results, newCount } = await withRaces(() => registerLocked(database, rest))
      const insertedCount = triesNew ? items.length - rest.length : 0
      areMostNew = insertedCount + newCount > items.length / 2
      return items.map((_, n) => first[n] ?? next(results))
    },
    sizeMax: 200,
    runsMax: 2,
    waitingMax: 10_000,
    onRun,
  })
  return (call) => register(itemOf(call))
}

/** A call with what it looks for. */
export function itemOf(call: Registration): Item {
  return { call, wanted: wantedBy(call) }
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
  /** Which calls brought one of these. */
  areNew: boolean[]
}

/**
 * Locks what the calls are about, decides them in memory, and writes what became of it. `finish` is
 * run in the same transaction.
 */
export async function registerLocked(
  database: Database,
  items: readonly Item[],
  finish: (sql: Sql, areNew: readonly boolean[]) => Promise<void> = async () => {},
): Promise<Locked> {
  if (items.length === 0) return { results: [], newCount: 0, areNew: [] }
  return inTransaction(database, async (sql) => {
    const wanted = items.map((item) => item.wanted)
    const batch = openBatch(await lockDevices(sql, wanted))
    const areNew = firstOfUnknown(wanted, batch)
    const results = items.map((item) => applyCall(batch, item.call, item.wanted))
    await writeBatch(sql, batch)
    await finish(sql, areNew)
    return { results, newCount: countNew(batch), areNew }
  })
}

/** Which of these name a device that is neither known nor named by one before. */
function firstOfUnknown(wanted: readonly Wanted[], { known }: Batch): boolean[] {
  const seen = new Set(known.keys())
  return wanted.map(({ app_no, token_hash }) => {
    const key = `${app_no} ${token_hash}`
    const isFirst = !seen.has(key)
    seen.add(key)
    return isFirst
  })
}
