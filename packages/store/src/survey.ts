import type { Lane, Provider } from '@pushkeep/domain'
import type { Sql } from './connect.ts'

/** Work of one provider and lane that is accepted and not done. */
export interface LaneTotals {
  provider: Provider
  lane: Lane
  /** Chunks by where they stand; `paused` ones wait for somebody to resume their app. */
  ready: number
  leased: number
  waiting: number
  paused: number
  /** Deliveries that these chunks still owe. */
  deliveries: number
}

/** What is accepted and not done, by provider and lane. `waiting`: due later, for another try. */
export async function surveyBacklog(sql: Sql): Promise<LaneTotals[]> {
  const { rows } = await sql.query<LaneTotals>({
    name: 'survey-backlog',
    text: `
      select c.provider, c.lane,
             (count(*) filter (where state = 'ready' and due_at <= now() and paused_at is null))::int
               as ready,
             (count(*) filter (where state = 'leased'))::int as leased,
             (count(*) filter (where state = 'ready' and due_at > now() and paused_at is null))::int
               as waiting,
             (count(*) filter (where state = 'ready' and paused_at is not null))::int as paused,
             sum(size - settled)::float8 as deliveries
      from chunks c
      left join app_providers ap on ap.app_no = c.app_no and ap.provider = c.provider
      where c.state <> 'done'
      group by c.provider, c.lane`,
  })
  return rows
}

/** How one app's lane to one provider stands. */
export interface LaneState {
  appId: string
  appName: string
  provider: Provider
  /** Nothing is sent, for a fault of the credentials. */
  isPaused: boolean
  /** The mass-bounce guard has tripped: no token is retired. */
  isGuarded: boolean
  /** When the credentials were stored, ms since the epoch. */
  credentialsAt: number
  /** When they end, ms since the epoch; null: nobody has set a date. */
  credentialsEndAt: number | null
}

/** Every lane that has credentials; at most `limit`, oldest apps first. */
export async function surveyLanes(sql: Sql, limit: number): Promise<LaneState[]> {
  const { rows } = await sql.query<LaneState>({
    name: 'survey-lanes',
    text: `
      select a.id as "appId", a.name as "appName", ap.provider,
             ap.paused_at is not null as "isPaused", ap.guarded_since is not null as "isGuarded",
             extract(epoch from ap.updated_at)::float8 * 1000 as "credentialsAt",
             extract(epoch from ap.expires_at)::float8 * 1000 as "credentialsEndAt"
      from app_providers ap join apps a using (app_no)
      order by a.app_no, ap.provider limit $1`,
    values: [limit],
  })
  return rows
}

/** How many messages were found within the last day whose counts are not those of their deliveries. */
export async function surveyUnbalanced(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ count: number }>({
    name: 'survey-unbalanced',
    text: `
      select count(*)::int as count from unbalanced_messages
      where found_at > now() - interval '1 day'`,
  })
  return rows[0]?.count ?? 0
}

/** How long the oldest work has waited that could be done now, in seconds; null: none waits. */
export interface OldestWork {
  transactional: number | null
  bulk: number | null
  /** Of a message whose audience is not planned yet. */
  unplanned: number | null
}

/** What has waited for longest, of chunks that are due (not those of a paused lane) and of plans. */
export async function surveyOldest(sql: Sql): Promise<OldestWork> {
  const { rows } = await sql.query<OldestWork>({
    name: 'survey-oldest',
    text: `
      with due as (
        select c.lane, extract(epoch from now() - min(c.due_at))::float8 as seconds
        from chunks c
        left join app_providers ap on ap.app_no = c.app_no and ap.provider = c.provider
        where c.state = 'ready' and c.due_at <= now() and ap.paused_at is null
        group by c.lane
      )
      select (select seconds from due where lane = 'transactional') as transactional,
             (select seconds from due where lane = 'bulk') as bulk,
             (select extract(epoch from now() - min(coalesce(send_at, created_at)))::float8
              from messages where planned_at is null and coalesce(send_at, created_at) <= now())
               as unplanned`,
  })
  return rows[0] ?? { transactional: null, bulk: null, unplanned: null }
}
