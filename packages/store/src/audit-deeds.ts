import { type Actor, type AuditAction, audit } from './audit-log.ts'
import { type Database, inTransaction, type Sql, withRepeat } from './connect.ts'

/** Something that was done to a person. */
export interface Deed {
  actor: Actor
  action: Extract<AuditAction, `person.${string}`>
  personNo: string
}

/** Writes down what was done to one person; nothing without an actor. */
export async function auditPerson(
  sql: Sql,
  actor: Actor | null,
  action: Deed['action'],
  personNo: string,
): Promise<void> {
  if (actor) await auditDeeds(sql, [{ actor, action, personNo }])
}

/**
 * Writes down what was done to people: one entry for each actor and action, with how many people it was where
 * it was not one. Call it last in a transaction: writers of one workspace take turns until they commit.
 */
export async function auditDeeds(sql: Sql, deeds: readonly Deed[]): Promise<void> {
  const groups = new Map<string, Deed[]>()
  for (const deed of deeds) {
    const { actor, action } = deed
    const name = JSON.stringify([actor.workspaceNo, actor.key?.id, actor.address, action])
    groups.set(name, [...(groups.get(name) ?? []), deed])
  }
  // In order of workspaces, so that no two transactions wait in a circle.
  const inOrder = [...groups.values()].toSorted(
    ([one], [other]) => (one?.actor.workspaceNo ?? 0) - (other?.actor.workspaceNo ?? 0),
  )
  for (const group of inOrder) {
    const [first] = group
    if (!first) continue
    const { actor, action, personNo } = first
    const isOne = group.length === 1
    await audit(sql, {
      actor,
      action,
      target: isOne ? { kind: 'person', personNo } : { kind: 'workspace', id: 'people' },
      appNo: null,
      detail: isOne ? {} : { people: group.length },
    })
  }
}

/** Changes one person and writes it down, in one transaction; null: there is no such person. */
export function changeAudited<Changed extends { personNo: string }>(
  database: Database,
  actor: Actor,
  action: Deed['action'],
  change: (sql: Sql) => Promise<Changed | null>,
): Promise<Changed | null> {
  return withRepeat(() =>
    inTransaction(database, async (sql) => {
      const changed = await change(sql)
      if (changed) await auditPerson(sql, actor, action, changed.personNo)
      return changed
    }),
  )
}
