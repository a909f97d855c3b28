import type { Sql } from '../connect.ts'

/** A person who goes by another id from now on. */
export interface NewId {
  workspaceNo: number
  from: string
  to: string
}

/**
 * Has workers put a person's new id in the place of the former one, in the audiences of messages that were
 * accepted until now: after a merge, or where a person got another id.
 */
export async function replaceId(sql: Sql, { workspaceNo, from, to }: NewId): Promise<void> {
  await redirectErasures(sql, { workspaceNo, from, to })
  await sql.query(
    `insert into erasures (workspace_no, person_hash, token_hashes, app_nos, device_nos, into_id)
     values ($1, name_hash($2), '{}', '{}', '{}', $3)`,
    [workspaceNo, from, to],
  )
}

/**
 * Names that were to become `from` become `to`, or are erased (null). Begun anew: some may have become `from`
 * in messages that this walk has behind it.
 */
export async function redirectErasures(
  sql: Sql,
  { workspaceNo, from, to }: Omit<NewId, 'to'> & { to: string | null },
): Promise<void> {
  await sql.query(
    `update erasures
     set into_id = $3, message_cursor = 0, round = 1, step = 'deliveries'
     where workspace_no = $1 and into_id = $2 and finished_at is null`,
    [workspaceNo, from, to],
  )
}
