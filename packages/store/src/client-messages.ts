import { hash } from 'node:crypto'
import type { Sql } from './connect.ts'

/** A call's id, as its client gave it. */
export interface ClientMessage {
  workspaceNo: number
  messageId: string
  /**
   * Within what the id is the client's own: calls of another scope may have the same. Left out: within what
   * secret keys of the workspace send.
   */
  scope?: string | null
}

// Two calls under one id may meet at the turn of the week, each in a partition of its own: around it
// an id goes into both. Looked up one by one: of `not exists` the planner might make a scan of all.
// Sorted, so that no two batches wait in a circle.
const claimText = `
  with given as materialized (
    select * from json_to_recordset($1) as g(workspace_no int, message_hash uuid)
  ), weeks as materialized (
    select distinct date_trunc('week', t at time zone 'utc')::date as week
    from unnest(array[now(), now() - interval '5 minutes']) t
  ), unseen as materialized (
    select g.workspace_no, g.message_hash from given g left join lateral (
      select true as is_there from client_messages
      where workspace_no = g.workspace_no and message_hash = g.message_hash limit 1) c on true
    where c.is_there is null
  ), claimed as (
    insert into client_messages (workspace_no, message_hash, week)
    select workspace_no, message_hash, week from unseen cross join weeks
    order by week, workspace_no, message_hash
    on conflict do nothing
    returning workspace_no, message_hash
  )
  select workspace_no as "workspaceNo", replace(message_hash::text, '-', '') as hash
  from claimed group by workspace_no, message_hash
  having count(*) = (select count(*) from weeks)`

/**
 * Which of some calls are the first under their ids, in the order given: the others were honoured
 * before, or stand earlier in the list. Counts from the moment the transaction commits; a call under
 * the same id that runs at the same time waits for that.
 */
export async function claimMessages(
  sql: Sql,
  messages: readonly ClientMessage[],
): Promise<boolean[]> {
  const firsts = new Map<string, { workspace_no: number; message_hash: string }>()
  const keys = messages.map((message) => {
    const { workspaceNo } = message
    const message_hash = hash('sha256', textOf(message), 'hex').slice(0, 32)
    const key = `${workspaceNo} ${message_hash}`
    firsts.set(key, { workspace_no: workspaceNo, message_hash })
    return key
  })
  const { rows } = await sql.query<{ workspaceNo: number; hash: string }>({
    name: 'claim-messages',
    text: claimText,
    values: [JSON.stringify([...firsts.values()])],
  })
  const claimed = new Set(rows.map((row) => `${row.workspaceNo} ${row.hash}`))
  // Of several in the list, the first takes it.
  return keys.map((key) => claimed.delete(key))
}

/** No id has NUL: those of a scope and those of none are never the same text. */
function textOf({ messageId, scope = null }: ClientMessage): string {
  return scope === null ? messageId : `${scope}\0${messageId}`
}
