import { actorOf, type Caller } from '@pushkeep/runtime'
import { audit, type Sql } from '@pushkeep/store'

/** A page that is looked at again and again is one look. */
const lookMs = 15 * 60_000

/** Most looks that are remembered. */
const looksMax = 10_000

/**
 * Writes down who looked at a person's page: once in a quarter of an hour for each key, address and person, in
 * one process.
 */
export function createViewLog(sql: Sql, now: () => number) {
  const looks = new Map<string, number>()
  return async (caller: Caller, personNo: string): Promise<void> => {
    const look = JSON.stringify([caller.keyId, caller.address, personNo])
    const before = looks.get(look)
    if (before !== undefined && now() - before < lookMs) return
    looks.delete(look)
    const [oldest] = looks.keys()
    if (looks.size >= looksMax && oldest !== undefined) looks.delete(oldest)
    await audit(sql, {
      actor: actorOf(caller),
      action: 'person.view',
      target: { kind: 'person', personNo },
      appNo: caller.appNo,
      detail: {},
    })
    looks.set(look, now())
  }
}
