import type { Sql } from './connect.ts'
import { type Registered, viewOf } from './registration-batch.ts'
import type { Wanted } from './registration-lock.ts'
import { insertDevices, type NewRow } from './registration-rows.ts'
import { decideRegistration, type Registration, type Tie } from './registration-rule.ts'

export interface Item {
  call: Registration
  wanted: Wanted
  /** The person whom it names, where it is known that there is one. */
  person?: Tie
}

/**
 * Registers the tokens that nobody has, in one statement without a lock: there is nothing to decide.
 * null for calls that meet a row, or that may be late and would create a person.
 */
export async function registerNew(
  sql: Sql,
  items: readonly Item[],
): Promise<(Registered | null)[]> {
  const firsts = new Map<string, Item>()
  const seen = new Set<string>()
  for (const item of items) {
    const key = keyOf(item)
    // A later call about the same token must not overtake an earlier one that has to take the long way.
    if (mayBeNew(item) && !seen.has(key)) firsts.set(key, item)
    seen.add(key)
  }
  if (firsts.size === 0) return items.map(() => null)
  const { now, keys } = await insertDevices(sql, [...firsts.values()].map(rowOf))
  const inserted = new Set(keys.map(([appNo, hash]) => `${appNo} ${hash}`))
  return items.map((item) => {
    const key = keyOf(item)
    const isInserted = firsts.get(key) === item && inserted.has(key)
    return isInserted ? { applied: true, device: viewOf(decideNew(item, now).device) } : null
  })
}

function keyOf({ wanted }: Item): string {
  return `${wanted.app_no} ${wanted.token_hash}`
}

function mayBeNew({ call: { previousToken, personId, at }, person }: Item): boolean {
  return previousToken === null && (personId === null || at === null || person !== undefined)
}

function rowOf(item: Item): NewRow {
  const { at, lastUsed } = item.call
  return { device: decideNew(item, 0).device, isNew: true, given: { at, lastUsed } }
}

function decideNew({ call, wanted, person }: Item, now: number) {
  const { workspaceNo, personId: id } = call
  const named = person ?? (id === null ? null : { no: null, id, workspaceNo })
  const decision = decideRegistration(call, wanted.token_hash, null, [], named, now)
  if (decision.kind === 'late') throw new Error('a new token is never late')
  return decision
}
