import type { Lane, Provider } from '@pushkeep/domain'
import type { Sql } from './connect.ts'

/** Most rows that are counted: more than that is "so many or more". */
export const backlogCountMax = 20_000

/** Work that waits or is under way in one lane of an app's provider. */
export interface LaneBacklog {
  appNo: number
  provider: Provider
  lane: Lane
  /** Recipients that may be sent to now, and are not under way. */
  waiting: number
  /** Recipients whose chunk somebody works on. */
  active: number
  /** Recipients that are tried again later. */
  later: number
  /** How long the oldest of those that wait has waited, in seconds; null where none waits. */
  oldestSeconds: number | null
}

export interface Backlog {
  lanes: LaneBacklog[]
  /** Whether there are more chunks than were counted. */
  isCut: boolean
  /** Messages whose audience is not planned yet, and the age of the oldest in seconds. */
  unplanned: number
  unplannedSeconds: number | null
}

/** What was accepted for these apps of a workspace and is not settled, from the database. */
export async function backlogOf(
  sql: Sql,
  { workspaceNo, appNos }: { workspaceNo: number; appNos: readonly number[] },
): Promise<Backlog> {
  const { rows } = await sql.query<Backlog>({
    name: 'backlog',
    text: `
      with open as materialized (
        select app_no, provider, lane, state, size - settled as left, due_at, rescue_at
        from chunks where state <> 'done'
        order by rescue_at limit ${backlogCountMax}
      ), lanes as (
        select app_no as "appNo", provider, lane,
               coalesce(sum("left") filter (where state = 'ready' and due_at <= now()), 0)::float8
                 as waiting,
               coalesce(sum("left") filter (where state = 'leased'), 0)::float8 as active,
               coalesce(sum("left") filter (where state = 'ready' and due_at > now()), 0)::float8
                 as later,
               extract(epoch from now() - min(due_at)
                 filter (where state = 'ready' and due_at <= now()))::float8 as "oldestSeconds"
        from open where app_no = any($2)
        group by app_no, provider, lane order by app_no, provider, lane
      ), unplanned as (
        select coalesce(send_at, created_at) as due_at from messages
        where planned_at is null and workspace_no = $1 and coalesce(send_at, created_at) <= now()
        order by coalesce(send_at, created_at) limit ${backlogCountMax}
      )
      select (select coalesce(json_agg(lanes), '[]') from lanes) as lanes,
             (select count(*) = ${backlogCountMax} from open) as "isCut",
             (select count(*)::int from unplanned) as unplanned,
             (select extract(epoch from now() - min(due_at))::float8 from unplanned)
               as "unplannedSeconds"`,
    values: [workspaceNo, appNos],
  })
  const [row] = rows
  if (!row) throw new Error('a statement that returns a row returned none')
  return row
}
