import type { Attributes } from '@pushkeep/domain'
import { type Database, inTransaction, isDatabaseUnavailable } from './connect.ts'
import { createLanes } from './import-lanes.ts'
import { addPeople, importPeople, type PersonToImport } from './import-people.ts'
import { type DeviceItem, restoreStandings, type Standing } from './import-standing.ts'
import type { OnTaken } from './insert-devices.ts'
import { insertNew } from './new-registrations.ts'
import { withRaces } from './raced.ts'
import { refreshDevices } from './refresh-devices.ts'
import type { Registration } from './registration-rule.ts'
import { itemOf, registerLocked } from './registrations.ts'

/** One line of an import, checked. */
export interface ImportRow {
  workspaceNo: number
  /** A person to add, or to merge attributes into (R8). */
  person: { id: string; attributes: Attributes; suppressed: boolean } | null
  device: Registration | null
  /** Taken over for a token that is new here; for any other what is known here counts. */
  standing: Standing | null
}

/** What became of a line. `late`: what is here is newer (R1). `error`: the database refuses it. */
export type Imported =
  | { kind: 'identified' | 'created' | 'updated' | 'late' }
  | { kind: 'error'; error: unknown }

/** Statements about people, and about devices, that run at a time. */
const lanesMax = 3

/**
 * Imports lines by the rules of registering, many in one statement. Lines about the same person or token
 * keep their order, within a batch and from one to the next, though the next may be given before the
 * last is done. One that is imported twice is as if it had been once; after a batch that fails it has to be.
 */
export function createImporter(
  database: Database,
): (rows: readonly ImportRow[]) => Promise<Imported[]> {
  // What the last lines were: tokens of an installation that moves here, or of one that is here.
  let areMostNew = true
  // Whether the last that were inserted met no token that is here: the next ones need not look for any.
  let wereAllNew = true
  const peopleLanes = createLanes(lanesMax)
  const deviceLanes = createLanes(lanesMax)

  /** In one transaction, where it takes more than a statement. */
  async function insertWithStandings(items: DeviceItem[], onTaken: OnTaken) {
    if (!items.some(({ standing }) => standing)) {
      return (await insertNew(database, items, onTaken)).devices
    }
    return inTransaction(database, async (sql) => {
      const { devices } = await insertNew(sql, items, onTaken)
      await restoreStandings(
        sql,
        items.filter((_, n) => devices[n]),
      )
      return devices
    })
  }

  /** Those that are new; null for the others. */
  async function insertFirst(items: DeviceItem[]) {
    let onTaken: OnTaken = wereAllNew ? 'fail' : 'miss'
    const devices = await withRaces(() => {
      const insertion = insertWithStandings(items, onTaken)
      onTaken = 'miss'
      return insertion
    })
    wereAllNew = !devices.includes(null)
    return devices
  }

  /** What one statement does of them, if they are as the last ones were. */
  async function importFirst(items: DeviceItem[]): Promise<First> {
    if (areMostNew) return { kind: 'created', first: await insertFirst(items) }
    return { kind: 'updated', first: await withRaces(() => refreshDevices(database, items)) }
  }

  async function importDevices(items: DeviceItem[], mayGoFirst: boolean): Promise<Imported[]> {
    const { kind, first } = mayGoFirst ? await importFirst(items) : nothingFirst
    const rest = items.filter((_, n) => !first[n])
    const locked = await withRaces(() =>
      registerLocked(database, rest, (sql, areNew) =>
        restoreStandings(
          sql,
          rest.filter((_, n) => areNew[n]),
        ),
      ),
    )
    // Whom a line names is there afterwards, also where it is late.
    await addPeople(database, namedBy(rest.filter((_, n) => !locked.results[n]?.applied)))
    const insertedCount = kind === 'created' ? items.length - rest.length : 0
    areMostNew = locked.newCount + insertedCount > items.length / 2
    const second = locked.results.map(({ applied }, n): Imported => {
      if (!applied) return { kind: 'late' }
      return { kind: locked.areNew[n] ? 'created' : 'updated' }
    })
    return items.map((_, n) => (first[n] ? { kind } : taken(second)))
  }

  async function importIdentified(rows: readonly ImportRow[]): Promise<Imported[]> {
    const results: Imported[] = rows.map(() => ({ kind: 'identified' }))
    await peopleLanes.run(
      peopleOf(rows),
      ({ id }) => id,
      (part) =>
        byHalves(
          part,
          async (some) => {
            await importPeople(database, some)
            return some.map(() => null)
          },
          (person, error) => {
            for (const n of person.rows) results[n] = { kind: 'error', error }
            return null
          },
        ),
    )
    return results
  }

  async function importRegistered(
    rows: readonly ImportRow[],
    results: Imported[],
  ): Promise<Imported[]> {
    const items = rows.flatMap(({ device, standing }, row): DeviceItem[] =>
      device && results[row]?.kind !== 'error'
        ? [{ ...itemOf(device), addsPerson: true, row, standing }]
        : [],
    )
    async function importPart(part: DeviceItem[], mayGoFirst: boolean) {
      const imported = await byHalves<DeviceItem, Imported>(
        part,
        (some) => importDevices(some, mayGoFirst),
        (_, error) => ({ kind: 'error', error }),
      )
      for (const [n, { row }] of part.entries()) {
        const result = imported[n]
        if (result) results[row] = result
      }
    }
    if (areEntangled(items)) await deviceLanes.alone(() => importPart(items, false))
    else {
      const keyOf = ({ wanted }: DeviceItem) => wanted.token_hash
      await deviceLanes.run(items, keyOf, (part) => importPart(part, true))
    }
    return results
  }

  // People come before the devices that name them, and devices begin in the order of their batches.
  let begun: Promise<unknown> = Promise.resolve()
  return async (rows) => {
    const people = importIdentified(rows)
    const registered = Promise.all([people, begun]).then(([results]) => ({
      done: importRegistered(rows, results),
    }))
    begun = registered
    return (await registered).done
  }
}

/** Of a batch of lines, which were done at once, and how; null for the others. */
interface First {
  kind: 'created' | 'updated'
  first: readonly (object | null)[]
}

const nothingFirst: First = { kind: 'updated', first: [] }

function namedBy(items: readonly DeviceItem[]) {
  return items.flatMap(({ call: { workspaceNo, personId: id } }) =>
    id === null ? [] : [{ workspaceNo, id }],
  )
}

interface PersonOfRows extends PersonToImport {
  /** Which lines say it. */
  rows: number[]
}

/** The people of whom lines tell, each once; what several lines tell of one is told in their order. */
function peopleOf(rows: readonly ImportRow[]): PersonOfRows[] {
  const people = new Map<string, PersonOfRows>()
  for (const [n, { workspaceNo, person }] of rows.entries()) {
    if (!person) continue
    const { id, attributes, suppressed } = person
    const key = `${workspaceNo} ${id}`
    const known = people.get(key)
    if (known) {
      known.rows.push(n)
      known.attributes = { ...known.attributes, ...attributes }
      known.suppressed ||= suppressed
    } else people.set(key, { workspaceNo, id, attributes, suppressed, rows: [n] })
  }
  return [...people.values()]
}

/** Whether a line is about another line's token, too: then all go one after the other. */
function areEntangled(items: readonly DeviceItem[]): boolean {
  const tokens = new Map<string, string>()
  return items.some(({ wanted: { installation_id, token_hash, previous_hash, app_no } }) => {
    if (previous_hash !== null) return true
    if (installation_id === null) return false
    const key = `${app_no} ${installation_id}`
    const other = tokens.get(key)
    tokens.set(key, token_hash)
    return other !== undefined && other !== token_hash
  })
}

/** Runs what fails in halves, down to the one that is at fault: its neighbours must not suffer (R9). */
async function byHalves<T, Result>(
  items: T[],
  run: (items: T[]) => Promise<Result[]>,
  onError: (item: T, error: unknown) => Result,
): Promise<Result[]> {
  try {
    return await run(items)
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error
    const [only] = items
    if (items.length === 1 && only !== undefined) return [onError(only, error)]
    const middle = items.length >> 1
    const before = await byHalves(items.slice(0, middle), run, onError)
    return [...before, ...(await byHalves(items.slice(middle), run, onError))]
  }
}

function taken(results: Imported[]): Imported {
  const result = results.shift()
  if (!result) throw new Error('a line has no result')
  return result
}
