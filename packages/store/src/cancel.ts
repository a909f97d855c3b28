import type { Sql } from './connect.ts'

/**
 * Cancels a message of this workspace (with an `appNo`, only one for that app): nothing more is
 * planned, and whoever has not been sent to is withheld at the next look, which is made due at once.
 * Again it changes nothing. Returns false where everything of it was settled uncancelled, or there is
 * no such message.
 */
export async function cancelMessage(
  sql: Sql,
  { workspaceNo, appNo, id }: { workspaceNo: number; appNo: number | null; id: string },
): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: 'cancel-message',
    text: `
      with cancelled as (
        update messages m
        set cancelled_at = coalesce(cancelled_at, now()), planned_at = coalesce(planned_at, now())
        where workspace_no = $1 and id = $2 and ($3::int is null or app_no = $3)
          and (cancelled_at is not null or planned_at is null or exists (
            select from chunks where message_no = m.message_no and state <> 'done'))
        returning message_no
      ), due as (
        update chunks c set due_at = least(due_at, now()), rescue_at = now()
        from cancelled m
        where c.message_no = m.message_no and c.state = 'ready'
      )
      select from cancelled`,
    values: [workspaceNo, id, appNo],
  })
  return rowCount === 1
}
