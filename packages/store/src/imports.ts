import type { Attributes } from '@pushkeep/domain'
import { type Database, inTransaction, isDatabaseUnavailable } from './connect.ts'
import { importPeople, type PersonToImport } from './import-people.ts'
import { type DeviceItem, restoreStandings, type Standing } from './import-standing.ts'
import { insertNew } from './new-registrations.ts'
import { withRaces } from './raced.ts'
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

/** Statements that run at a time. */
const partsMax = 4

/**
 * Imports lines by the rules of registering, many in one statement. Lines about the same person or token
 * keep their order, within a batch and from one to the next, though the next may be given before the
 * last is done. After a batch that fails no device is imported. One
 * that is imported twice is as if it had been once.
 */
export function createImporter(
  database: Database,
): (rows: readonly ImportRow[]) => Promise<Imported[]> {
  // What the last lines were: tokens of an installation that moves here, or of one that is here.
  let areMostNew = true
  // Whether those who are only named are there: until most of them were not.
  let areMostKnown = true

  /** In one transaction, where it takes more than a statement. */
  async function insertWithStandings(items: DeviceItem[]) {
    if (!items.some(({ standing }) => standing)) return (await insertNew(database, items)).devices
    return inTransaction(database, async (sql) => {
      const { devices } = await insertNew(sql, items)
      await restoreStandings(
        sql,
        items.filter((_, n) => devices[n]),
      )
      return devices
    })
  }

  async function importDevices(items: DeviceItem[], mayInsert: boolean): Promise<Imported[]> {
    const isTried = areMostNew && mayInsert
    const first = isTried ? await withRaces(() => insertWithStandings(items)) : []
    const rest = items.filter((_, n) => !first[n])
    const locked = await withRaces(() =>
      registerLocked(database, rest, (sql, areNew) =>
        restoreStandings(
          sql,
          rest.filter((_, n) => areNew[n]),
        ),
      ),
    )
    areMostNew = locked.newCount + items.length - rest.length > items.length / 2
    // What was new and could not be inserted at once had nobody to be tied to.
    if (isTried) areMostKnown &&= locked.newCount <= items.length / 2
    const second = locked.results.map(({ applied }, n): Imported => {
      if (!applied) return { kind: 'late' }
      return { kind: locked.areNew[n] ? 'created' : 'updated' }
    })
    return items.map((_, n) => (first[n] ? { kind: 'created' } : taken(second)))
  }

  /** Those of whom lines say something, and those who are only named where most are not there. */
  async function importNamed(rows: readonly ImportRow[]): Promise<Imported[]> {
    const results: Imported[] = rows.map(() => ({ kind: 'identified' }))
    await inParts(
      peopleOf(rows, !areMostKnown),
      ({ id }) => id,
      async (part) => {
        await byHalves(
          part,
          async (some) => {
            await importPeople(database, some)
            return some.map(() => null)
          },
          (person, error) => {
            for (const n of person.rows) results[n] = { kind: 'error', error }
            return null
          },
        )
      },
    )
    return results
  }

  async function importRegistered(
    rows: readonly ImportRow[],
    results: Imported[],
  ): Promise<Imported[]> {
    const items = rows.flatMap(({ device, standing }, row): DeviceItem[] =>
      device && results[row]?.kind !== 'error' ? [{ ...itemOf(device), row, standing }] : [],
    )
    const isEntangled = areEntangled(items)
    const keyOf = ({ wanted }: DeviceItem) => (isEntangled ? '' : wanted.token_hash)
    await inParts(items, keyOf, async (part) => {
      const imported = await byHalves<DeviceItem, Imported>(
        part,
        (some) => importDevices(some, !isEntangled),
        (_, error) => ({ kind: 'error', error }),
      )
      for (const [n, result] of imported.entries()) {
        const item = part[n]
        if (item) results[item.row] = result
      }
    })
    return results
  }

  // People before people and devices before devices, as their batches come; the people of a batch are
  // written while the devices of the one before are.
  let named: Promise<unknown> = Promise.resolve()
  let registered: Promise<unknown> = Promise.resolve()
  return (rows) => {
    const people = named.then(() => importNamed(rows))
    named = people
    const results = registered.then(async () => importRegistered(rows, await people))
    registered = results
    // Whoever waits for the results is told of a failure, and nothing comes after it.
    people.catch(() => {})
    results.catch(() => {})
    return results
  }
}

interface PersonOfRows extends PersonToImport {
  /** Which lines say it. */
  rows: number[]
}

/**
 * The people of whom the lines say something, each once, and those who are only named if they are wanted;
 * what several lines say of one is said in their order.
 */
function peopleOf(rows: readonly ImportRow[], areNamedWanted: boolean): PersonOfRows[] {
  const people = new Map<string, PersonOfRows>()
  for (const [n, { workspaceNo, person, device }] of rows.entries()) {
    const id = person?.id ?? (areNamedWanted ? (device?.personId ?? null) : null)
    if (id === null) continue
    const key = `${workspaceNo} ${id}`
    let known = people.get(key)
    if (!known) {
      known = { workspaceNo, id, attributes: null, suppressed: false, rows: [] }
      people.set(key, known)
    }
    known.rows.push(n)
    if (!person) continue
    known.attributes = { ...known.attributes, ...person.attributes }
    known.suppressed ||= person.suppressed
  }
  return [...people.values()]
}

/** Runs `work` on up to `partsMax` parts at a time; what has the same key is in one, in order. */
async function inParts<T>(
  all: readonly T[],
  keyOf: (one: T) => string,
  work: (part: T[]) => Promise<void>,
): Promise<void> {
  const parts: T[][] = Array.from({ length: partsMax }, () => [])
  for (const one of all) parts[numberOf(keyOf(one)) % partsMax]?.push(one)
  await Promise.all(parts.filter((part) => part.length > 0).map(work))
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

function numberOf(text: string): number {
  let number = 0
  for (let n = 0; n < text.length; n += 1) number = (number * 31 + text.charCodeAt(n)) >>> 0
  return number
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
