import { setTimeout as sleep } from 'node:timers/promises'
import type { LaneResumed, Provider, Tried } from '@pushkeep/domain'
import { v7 as uuidv7 } from 'uuid'
import { type Database, inTransaction, type Sql } from './connect.ts'
import { decideBounces, openLane } from './mass-bounce.ts'

export interface ResumeOptions {
  appNo: number
  provider: Provider
  /** What becomes of tokens that the mass-bounce guard retired in doubt. */
  bounces: 'keep' | 'undo'
  /** How long to wait for the workers, in milliseconds. */
  waitMs: number
  /** Writes down, in the same transaction, that it was asked for. */
  note: (sql: Sql, restored: number) => Promise<void>
}

/**
 * Asks a lane to go on. Where the mass-bounce guard had tripped, `bounces` decides about its tokens first. A lane that is paused for its credentials is half-open first: workers try up to three
 * deliveries of different people, and one that is accepted opens it. null where the app has no such provider.
 */
export async function resumeLane(
  database: Database,
  options: ResumeOptions,
): Promise<LaneResumed | null> {
  const { appNo, provider, bounces, waitMs, note } = options
  const isGuarded = await hasTripped(database, appNo, provider)
  const guarded = { appNo, provider, decision: bounces, from: null, to: null }
  const decided = isGuarded ? await decideBounces(database, guarded) : null
  const asked = await inTransaction(database, async (sql) => {
    const isPaused = await isPausedForCredentials(sql, appNo, provider)
    // Where nothing waits there is nothing to try: it needs no worker.
    if (isPaused && (await hasOpenChunks(sql, { appNo, provider }))) {
      await note(sql, decided?.restored ?? 0)
      return askTrial(sql, appNo, provider)
    }
    if (!(await openLane(sql, appNo, provider))) return null
    await note(sql, decided?.restored ?? 0)
    return 'opened' as const
  })
  if (asked === null) return null
  const restored = decided?.restored ?? 0
  if (asked === 'opened') return { kind: 'open', restored, tried: [] }
  return awaitTrial(database, appNo, provider, asked, waitMs)
}

async function hasTripped(sql: Sql, appNo: number, provider: Provider): Promise<boolean> {
  const { rowCount } = await sql.query(
    `select from app_providers
     where app_no = $1 and provider = $2 and guarded_since is not null`,
    [appNo, provider],
  )
  return rowCount === 1
}

async function isPausedForCredentials(
  sql: Sql,
  appNo: number,
  provider: Provider,
): Promise<boolean> {
  const { rows } = await sql.query<{ isPaused: boolean }>(
    `select paused_at is not null as "isPaused"
     from app_providers where app_no = $1 and provider = $2 for no key update`,
    [appNo, provider],
  )
  return rows[0]?.isPaused ?? false
}

async function askTrial(sql: Sql, appNo: number, provider: Provider): Promise<string> {
  const id = uuidv7()
  await sql.query(
    `insert into lane_trials (app_no, provider, id) values ($1, $2, $3)
     on conflict (app_no, provider) do update
     set id = excluded.id, asked_at = now(), taken_at = null, finished_at = null, opened = null,
         tried = null`,
    [appNo, provider, id],
  )
  return id
}

const lookEveryMs = 100

async function awaitTrial(
  database: Database,
  appNo: number,
  provider: Provider,
  id: string,
  waitMs: number,
): Promise<LaneResumed> {
  const deadline = Date.now() + waitMs
  for (;;) {
    const { rows } = await database.query<TrialRow>(
      `select finished_at is not null as "isFinished", opened, tried,
              exists (select from worker_reports where seen_at > now() - interval '10 seconds')
                as "hasWorkers"
       from lane_trials where app_no = $1 and provider = $2 and id = $3`,
      [appNo, provider, id],
    )
    const [row] = rows
    // Another call asked anew: that one waits for the answer.
    if (!row) return { kind: 'trying', hasWorkers: true }
    const { hasWorkers } = row
    if (row.isFinished) {
      const tried = row.tried ?? []
      return row.opened ? { kind: 'open', restored: 0, tried } : { kind: 'paused', tried }
    }
    if (!hasWorkers || Date.now() > deadline) return { kind: 'trying', hasWorkers }
    await sleep(lookEveryMs)
  }
}

interface TrialRow {
  isFinished: boolean
  opened: boolean | null
  tried: Tried[] | null
  hasWorkers: boolean
}

/** A trial that a worker took. */
export interface Trial {
  id: string
  appNo: number
  provider: Provider
}

/** A worker that took a trial and said nothing for so long is gone: another one takes it. */
const abandonedSeconds = 60

/** Takes a trial that no worker makes yet, and has breakers of the lane close; null: there is none. */
export async function takeTrial(sql: Sql): Promise<Trial | null> {
  const { rows } = await sql.query<Trial>({
    name: 'take-lane-trial',
    text: `
      with next as materialized (
        select app_no, provider from lane_trials
        where finished_at is null
          and (taken_at is null or taken_at < now() - interval '${abandonedSeconds} seconds')
        order by asked_at limit 1 for update skip locked
      ), taken as (
        update lane_trials t set taken_at = now() from next n
        where t.app_no = n.app_no and t.provider = n.provider
        returning t.id, t.app_no, t.provider
      ), served as (
        update app_providers p set resumes = p.resumes + 1 from taken t
        where p.app_no = t.app_no and p.provider = t.provider
      )
      select id, app_no as "appNo", provider from taken`,
  })
  return rows[0] ?? null
}

/** A chunk that a trial may send from: its next recipient, and whether that one led to the pause. */
export interface TrialChunk {
  chunkNo: string
  personNo: number | null
  deviceNo: number
  isCause: boolean
  /** Until its deliveries may be tried again, in milliseconds; not positive: now. */
  dueInMs: number
}

/** What a pause handed back is due within this time, in seconds. */
const dueWithinSeconds = 3

const open = `m.expires_at > now() and m.cancelled_at is null
  and c.due_at <= now() + interval '${dueWithinSeconds} seconds'`

/** Whether anything of a lane waits or is under way: what led to the pause is, for a moment. */
export async function hasOpenChunks(
  sql: Sql,
  { appNo, provider }: Pick<Trial, 'appNo' | 'provider'>,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `select from chunks c join messages m using (message_no)
     where c.app_no = $1 and c.provider = $2 and c.state <> 'done' and ${open} limit 1`,
    [appNo, provider],
  )
  return rowCount !== 0
}

/** Ready chunks of a lane, at most a few hundred, those that led to the pause last. */
export async function trialChunks(
  sql: Sql,
  { appNo, provider }: Pick<Trial, 'appNo' | 'provider'>,
): Promise<TrialChunk[]> {
  const { rows } = await sql.query<TrialChunk>(
    `select c.chunk_no::text as "chunkNo", c.person_nos[c.claimed % c.size + 1]::float8 as "personNo",
            c.device_nos[c.claimed % c.size + 1]::float8 as "deviceNo",
            c.message_no = coalesce((ap.pause_cause ->> 'message_no')::bigint, 0)
              or c.device_nos[c.claimed % c.size + 1]
                 = coalesce((ap.pause_cause ->> 'device_no')::bigint, 0) as "isCause",
            (extract(epoch from c.due_at - now()) * 1000)::float8 as "dueInMs"
     from chunks c
     join messages m using (message_no)
     join app_providers ap on ap.app_no = c.app_no and ap.provider = c.provider
     where c.app_no = $1 and c.provider = $2 and c.state = 'ready' and ${open}
     order by "isCause", c.due_at > now(), c.chunk_no desc limit 300`,
    [appNo, provider],
  )
  return rows
}

/** Ends a trial: opens the lane, or leaves it paused with what the provider says now. */
export async function finishTrial(
  database: Database,
  { id, appNo, provider }: Trial,
  { opened, tried }: { opened: boolean; tried: readonly Tried[] },
): Promise<void> {
  const last = tried.at(-1)
  await inTransaction(database, async (sql) => {
    const { rowCount } = await sql.query(
      `update lane_trials set finished_at = now(), opened = $4, tried = $5
       where app_no = $1 and provider = $2 and id = $3 and finished_at is null`,
      [appNo, provider, id, opened, JSON.stringify(tried)],
    )
    if (rowCount === 0) return
    if (opened) await openLane(sql, appNo, provider)
    else if (last?.reason) {
      await sql.query(
        `update app_providers set pause_reason = $3
         where app_no = $1 and provider = $2 and paused_at is not null`,
        [appNo, provider, last.reason],
      )
    }
  })
}
