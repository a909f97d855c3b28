import type { Sql } from './connect.ts'
import { insertDevices, type NewDevice, type OnTaken } from './insert-devices.ts'
import { type Registered, viewOf } from './registration-batch.ts'
import type { Wanted } from './registration-lock.ts'
import {
  type DeviceState,
  decideRegistration,
  type Registration,
  timesOf,
} from './registration-rule.ts'

export interface Item {
  call: Registration
  wanted: Wanted
  /** Whom it names is added, even if it comes too late for the token. */
  addsPerson?: true
}

/**
 * Registers the tokens that nobody has, in one statement without a lock: there is nothing to decide.
 * null for calls that meet a row, replace one, name somebody blocked, or may be late and would create a
 * person.
 */
export async function registerNew(
  sql: Sql,
  items: readonly Item[],
): Promise<(Registered | null)[]> {
  const { now, devices } = await insertNew(sql, items, 'miss')
  return items.map(({ call }, n) => {
    const device = devices[n]
    return device ? { applied: true, device: viewOf({ ...device, ...timesOf(call, now) }) } : null
  })
}

interface Inserted {
  /** ms by the database's clock. */
  now: number
  /** For each call, what it registered, with whichever times; null where it registered nothing. */
  devices: (DeviceState | null)[]
}

/** As `registerNew`, for who need not see the devices. */
export async function insertNew(
  sql: Sql,
  items: readonly Item[],
  onTaken: OnTaken,
): Promise<Inserted> {
  const firsts = firstsOfTokens(items)
  const devices: Inserted['devices'] = items.map(() => null)
  const rows: NewDevice[] = []
  for (const n of firsts.values()) {
    const item = items[n]
    if (!item) continue
    const device = decideNew(item)
    devices[n] = device
    rows.push({ device, call: item.call, addsPerson: item.addsPerson ?? item.call.at === null })
  }
  if (rows.length === 0) return { now: 0, devices }
  const { now, keys } = await insertDevices(sql, rows, onTaken)
  if (keys === null) return { now, devices }
  const inserted = new Set(keys.map(([appNo, hash]) => `${appNo} ${hash}`))
  for (const [key, n] of firsts) if (!inserted.has(key)) devices[n] = null
  return { now, devices }
}

/**
 * The first call about each token, if it may go before others: a later one must not overtake an earlier one
 * that has to take the long way.
 */
export function firstsOfTokens(
  items: readonly Item[],
  mayGoFirst: (item: Item) => boolean = () => true,
): Map<string, number> {
  const firsts = new Map<string, number>()
  const seen = new Set<string>()
  for (const [n, item] of items.entries()) {
    const key = keyOf(item)
    if (item.call.previousToken === null && mayGoFirst(item) && !seen.has(key)) firsts.set(key, n)
    seen.add(key)
  }
  return firsts
}

function keyOf({ wanted }: Item): string {
  return `${wanted.app_no} ${wanted.token_hash}`
}

/** What registering a token that is not there makes of it, but for its times. */
export function decideNew({ call, wanted }: Item): DeviceState {
  const { workspaceNo, personId: id } = call
  const named = id === null ? null : { no: null, id, workspaceNo }
  const decision = decideRegistration(call, wanted.token_hash, null, [], named, 0)
  if (decision.kind === 'late') throw new Error('a new token is never late')
  return decision.device
}
