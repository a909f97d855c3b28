import type { Sql } from './connect.ts'

/** Recipients of the messages that were accepted within a minute. */
export interface AcceptedMinute {
  minute: Date
  messages: number
  recipients: number
}

// Any constant of our own: whoever keeps the console's sums holds it for a round.
const upkeepLock = 7_482_146

/** Whether this transaction is the one that keeps the console's sums now. */
export async function tryUpkeep(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ isOurs: boolean }>(
    'select pg_try_advisory_xact_lock($1) as "isOurs"',
    [upkeepLock],
  )
  return rows[0]?.isOurs ?? false
}

/**
 * Counts anew what was accepted in the last minutes, the present one included: a broadcast gets its
 * recipients while it is planned. Costs what these minutes' messages cost to read.
 */
export async function countAccepted(sql: Sql, minutes: number): Promise<void> {
  await sql.query({
    name: 'count-accepted',
    text: `
      insert into accepted_minutes (workspace_no, app_no, minute, messages, recipients)
      select m.workspace_no, coalesce(m.app_no, 0),
             to_timestamp((m.message_no >> 20) / 60000 * 60) as minute, count(*), sum(c.recipients)
      from messages m join message_counts c using (message_no)
      where m.message_no >= message_no_at(date_trunc('minute', now()) - make_interval(mins => $1))
        and c.message_no >= message_no_at(date_trunc('minute', now()) - make_interval(mins => $1))
      group by m.workspace_no, coalesce(m.app_no, 0), minute
      order by m.workspace_no, coalesce(m.app_no, 0), minute
      on conflict (workspace_no, app_no, minute) do update
      set messages = excluded.messages, recipients = excluded.recipients`,
    values: [minutes],
  })
}

/** What was accepted since `from`, by minute; minutes without anything are left out. */
export async function acceptedMinutes(
  sql: Sql,
  scope: { workspaceNo: number; appNo: number | null; from: Date },
): Promise<AcceptedMinute[]> {
  const { rows } = await sql.query<AcceptedMinute>({
    name: 'accepted-minutes',
    text: `
      select minute, sum(messages)::float8 as messages, sum(recipients)::float8 as recipients
      from accepted_minutes
      where workspace_no = $1 and ($2::int is null or app_no = $2) and minute >= $3
      group by minute order by minute`,
    values: [scope.workspaceNo, scope.appNo, scope.from],
  })
  return rows
}
