import { type CoalescedRun, coalesce } from './coalesce.ts'
import { type Database, inTransaction, isRepeatable, type Sql } from './connect.ts'
import { type Item, registerNew } from './new-registrations.ts'
import {
  applyCall,
  type Batch,
  changesOf,
  countNew,
  openBatch,
  type Registered,
} from './registration-batch.ts'
import { lockDevices, type Wanted } from './registration-lock.ts'
import { RacedError, writeDevices } from './registration-rows.ts'
import type { Registration } from './registration-rule.ts'
import { tokenHash } from './token-hash.ts'

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
      const first = areMostNew ? await repeat(() => registerNew(database, items)) : []
      const rest = items.filter((_, n) => !first[n])
      const { results, newCount } = await repeat(() => registerLocked(database, rest))
      areMostNew = newCount + items.length - rest.length > items.length / 2
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

function wantedBy(call: Registration): Wanted {
  const hash = tokenHash(call.token)
  const previous = call.previousToken === null ? null : tokenHash(call.previousToken)
  return {
    app_no: call.appNo,
    token_hash: hash,
    previous_hash: previous === hash ? null : previous,
    installation_id: call.installationId,
    workspace_no: call.workspaceNo,
    person_id: call.personId,
  }
}

// Each try that fails found that another process had come first: as many as that may be.
const triesMax = 20

/** Runs a registration again where another process came first. */
export async function repeat<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const mayRepeat = error instanceof RacedError || isRepeatable(error)
      if (!mayRepeat || attempt >= triesMax) throw error
    }
  }
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
    if (batch.changed.size > 0) await writeDevices(sql, changesOf(batch))
    await finish(sql, areNew)
    return { results, newCount: countNew(batch), areNew }
  })
}

/** Which of these name a device that is neither known nor named by one before. */
function firstOfUnknown(wanted: readonly Wanted[], { known }: Batch): boolean[] {
  const seen = new Set(known)
  return wanted.map(({ app_no, token_hash }) => {
    const key = `${app_no} ${token_hash}`
    const isFirst = !seen.has(key)
    seen.add(key)
    return isFirst
  })
}
