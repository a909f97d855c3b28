import type { Json } from '@pushkeep/domain'
import {
  type App,
  type AuditAction,
  audit,
  type Database,
  inTransaction,
  type NewAuditEntry,
  type Sql,
} from '@pushkeep/store'

/** What a command did, for the audit log of a workspace. */
export interface Deed extends Omit<NewAuditEntry, 'actor'> {
  workspaceNo: number
}

/**
 * Does something and writes down that the command did it, in one transaction. `deed` is null where
 * nothing was done.
 */
export async function noted<Result>(
  database: Database,
  work: (sql: Sql) => Promise<{ result: Result; deed: Deed | null }>,
): Promise<Result> {
  return inTransaction(database, async (sql) => {
    const { result, deed } = await work(sql)
    if (deed) await note(sql, deed)
    return result
  })
}

/** Writes down what was done, in the transaction that does it. */
export async function note(sql: Sql, { workspaceNo, ...entry }: Deed): Promise<void> {
  await audit(sql, { actor: { workspaceNo, key: null }, ...entry })
}

/** Something that was done about an app. */
export function deedOn(
  { workspaceNo, appNo, id }: App,
  action: AuditAction,
  detail: Record<string, Json>,
): Deed {
  return { workspaceNo, action, target: { kind: 'app', id }, appNo, detail }
}
