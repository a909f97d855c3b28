import type { Lane, Provider } from '@pushkeep/domain'
import type { Sql } from './connect.ts'

/** Work of one provider and lane that is accepted and not done. */
export interface Backlog {
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
export async function surveyBacklog(sql: Sql): Promise<Backlog[]> {
  const { rows } = await sql.query<Backlog>({
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
  /** Why nothing is sent: a fault of the credentials, or the mass-bounce guard. null: it sends. */
  pausedFor: 'credentials' | 'mass_bounce' | null
  /** When the credentials were stored, ms since the epoch. */
  credentialsAt: number
}

/** Every lane that has credentials; at most `limit`, oldest apps first. */
export async function surveyLanes(sql: Sql, limit: number): Promise<LaneState[]> {
  const { rows } = await sql.query<LaneState>({
    name: 'survey-lanes',
    text: `
      select a.id as "appId", a.name as "appName", ap.provider,
             case when ap.paused_at is null then null
                  when ap.guarded_since is not null then 'mass_bounce'
                  else 'credentials' end as "pausedFor",
             extract(epoch from ap.updated_at)::float8 * 1000 as "credentialsAt"
      from app_providers ap join apps a using (app_no)
      order by a.app_no, ap.provider limit $1`,
    values: [limit],
  })
  return rows
}

/** Messages whose counts do not say what R4 promises. */
export interface LedgerFaults {
  /** More deliveries are settled than there are recipients. */
  unbalanced: number
  /** Something is pending, and no chunk is left that could settle it. */
  stuck: number
}

/**
 * Holds the counts of the messages accepted within the last hour (but for its last minute) against
 * their chunks. Both numbers are 0 unless something is wrong with Pushkeep itself.
 */
export async function surveyLedger(sql: Sql): Promise<LedgerFaults> {
  const { rows } = await sql.query<LedgerFaults>({
    name: 'survey-ledger',
    text: `
      select (count(*) filter (where c.settled > c.recipients))::int as unbalanced,
             (count(*) filter (where c.settled < c.recipients and m.planned_at is not null and not exists (
               select from chunks k where k.message_no = c.message_no and k.state <> 'done')))::int as stuck
      from (select message_no, recipients, sent + bounced + suppressed + failed + expired as settled
            from message_counts
            where message_no >= message_no_at(now() - interval '1 hour')
              and message_no < message_no_at(now() - interval '1 minute')) c
      join messages m using (message_no)
      where c.settled <> c.recipients`,
  })
  return rows[0] ?? { unbalanced: 0, stuck: 0 }
}
