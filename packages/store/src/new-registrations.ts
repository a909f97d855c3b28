import type { Sql } from './connect.ts'
import { type Registered, viewOf } from './registration-batch.ts'
import type { Wanted } from './registration-lock.ts'
import { type Changes, insertDevices } from './registration-rows.ts'
import { decideRegistration, type Registration } from './registration-rule.ts'

export interface Item {
  call: Registration
  wanted: Wanted
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
  for (const item of items) {
    const key = keyOf(item)
    if (mayBeNew(item.call) && !firsts.has(key)) firsts.set(key, item)
  }
  if (firsts.size === 0) return items.map(() => null)
  const { now, keys } = await insertDevices(sql, changesOf([...firsts.values()]))
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

function mayBeNew({ previousToken, personId, at }: Registration): boolean {
  return previousToken === null && (personId === null || at === null)
}

function changesOf(items: readonly Item[]): Changes {
  const decided = items.map((item) => ({ item, ...decideNew(item, 0) }))
  return {
    devices: decided.map(({ item: { call }, device }) => ({
      device,
      isNew: true,
      given: { at: call.at, lastUsed: call.lastUsed },
    })),
    events: decided.flatMap(({ device, events }) => events.map((event) => ({ device, event }))),
  }
}

function decideNew({ call, wanted }: Item, now: number) {
  const { workspaceNo, personId: id } = call
  const named = id === null ? null : { no: null, id, workspaceNo }
  const decision = decideRegistration(call, wanted.token_hash, null, [], named, now)
  if (decision.kind === 'late') throw new Error('a new token is never late')
  return decision
}
