import { type CoalescedRun, coalesce } from './coalesce.ts'
import { type Database, inTransaction, isRepeatable } from './connect.ts'
import { type Item, registerNew } from './new-registrations.ts'
import { applyCall, changesOf, countNew, openBatch, type Registered } from './registration-batch.ts'
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
  return (call) => register({ call, wanted: wantedBy(call) })
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

async function repeat<T>(work: () => Promise<T>): Promise<T> {
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
}

/** Locks what the calls are about, decides them in memory, and writes what became of it. */
async function registerLocked(database: Database, items: readonly Item[]): Promise<Locked> {
  if (items.length === 0) return { results: [], newCount: 0 }
  return inTransaction(database, async (sql) => {
    const wanted = items.map((item) => item.wanted)
    const batch = openBatch(await lockDevices(sql, wanted))
    const results = items.map((item) => applyCall(batch, item.call, item.wanted))
    if (batch.changed.size > 0) await writeDevices(sql, changesOf(batch))
    return { results, newCount: countNew(batch) }
  })
}
