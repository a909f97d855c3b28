import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { decideBounces, inWorkspaces, tripGuard } from '../src/index.ts'
import { createScene, insertDevice, insertPerson, type Scene } from './fixtures.ts'

let db: TestDatabase
let scene: Scene
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())
beforeEach(async () => {
  scene = await createScene(db.database)
})

const minute = 60_000
/** The middle of the minute so many minutes ago, in ms since the epoch. */
const ago = (minutes: number) =>
  Math.floor(Date.now() / minute) * minute - minutes * minute + minute / 2

/** A device whose accepted token was retired so many minutes ago, and is counted. */
async function retire(minutesAgo: number): Promise<string> {
  const personNo = await insertPerson(scene, randomUUID())
  const { deviceNo } = await insertDevice(scene, { personNo })
  const at = ago(minutesAgo) / 1000
  await db.database.query(
    `update devices set dead_at = to_timestamp($2), dead_reason = 'Unregistered', last_status = 'bounced'
     where device_no = $1`,
    [deviceNo, at],
  )
  await db.database.query(
    `insert into device_events (device_no, at, kind, detail)
     values ($1, to_timestamp($2), 'bounced', '{"token_retired": true, "before": "sent"}')`,
    [deviceNo, at],
  )
  await db.database.query(
    `insert into bounced_people (app_no, provider, person_key, at)
     values ($1, 'apns', $2, to_timestamp($3))`,
    [scene.appNo, personNo, at],
  )
  await db.database.query(
    `insert into bounce_minutes (app_no, provider, minute, judged, dead, accepted_at)
     values ($1, 'apns', date_trunc('minute', to_timestamp($2)), 4, 1, to_timestamp($2))`,
    [scene.appNo, at],
  )
  return deviceNo
}

const decide = (decision: 'keep' | 'undo', from: number | null, to: number | null) =>
  decideBounces(db.database, { appNo: scene.appNo, provider: 'apns', decision, from, to })

async function deadDevices(): Promise<string[]> {
  const { rows } = await db.database.query<{ no: string }>(
    `select device_no::text as no from devices
     where app_no = $1 and dead_at is not null order by device_no`,
    [scene.appNo],
  )
  return rows.map(({ no }) => no)
}

async function counted() {
  const { rows: minutes } = await db.database.query(
    `select judged, dead, accepted_at is not null as "hasAccepted" from bounce_minutes
     where app_no = $1 order by minute`,
    [scene.appNo],
  )
  const { rowCount: people } = await db.database.query(
    'select from bounced_people where app_no = $1',
    [scene.appNo],
  )
  return { minutes, people }
}

async function hasTripped(): Promise<boolean> {
  const { rows } = await db.database.query<{ has: boolean }>(
    'select guarded_since is not null as has from app_providers where app_no = $1 and provider = $2',
    [scene.appNo, 'apns'],
  )
  return rows[0]?.has ?? false
}

const usual = { judged: 4, dead: 1, hasAccepted: true }
const undone = { judged: 3, dead: 0, hasAccepted: true }

test('undo of a range forgets what was counted in it, and nothing before or after', async () => {
  const before = await retire(50)
  await retire(40)
  const after = await retire(30)
  expect(await decide('undo', ago(45), ago(35))).toEqual({ restored: 1 })
  expect(await deadDevices()).toEqual([before, after])
  expect(await counted()).toEqual({ minutes: [usual, undone, usual], people: 2 })
})

test('undo forgets dead verdicts, and not that others were accepted', async () => {
  await retire(20)
  await retire(10)
  expect(await decide('undo', ago(30), null)).toEqual({ restored: 2 })
  expect(await counted()).toEqual({ minutes: [undone, undone], people: 0 })
})

test('undo of an older range leaves a guard that has tripped', async () => {
  await retire(40)
  const doubted = await retire(0)
  expect(await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce')).toBe(true)
  expect(await decide('undo', ago(45), ago(35))).toEqual({ restored: 1 })
  expect(await hasTripped()).toBe(true)
  expect(await deadDevices()).toEqual([doubted])
})

test('undo of a part of what the guard doubts leaves it, so that the rest can be undone', async () => {
  const first = await retire(40)
  await retire(20)
  await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce', 'hour')
  expect(await decide('undo', ago(30), null)).toEqual({ restored: 1 })
  expect(await deadDevices()).toEqual([first])
  expect(await hasTripped()).toBe(true)
  expect(await decide('undo', null, null)).toEqual({ restored: 1 })
  expect(await hasTripped()).toBe(false)
})

test.each<[string, number | null]>([
  ['all that is doubted', null],
  ['more than is doubted', 180],
])('undo of %s ends the guard', async (_name, fromMinutesAgo) => {
  await retire(20)
  await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce', 'hour')
  const from = fromMinutesAgo === null ? null : ago(fromMinutesAgo)
  expect(await decide('undo', from, null)).toEqual({ restored: 1 })
  expect(await hasTripped()).toBe(false)
})

test('undo that names an end alone starts where the guard began to doubt', async () => {
  await retire(30)
  const later = await retire(10)
  await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce', 'hour')
  expect(await decide('undo', null, ago(20))).toEqual({ restored: 1 })
  expect(await deadDevices()).toEqual([later])
  expect(await hasTripped()).toBe(true)
})

test('keep ends the guard and forgets nothing', async () => {
  const device = await retire(1)
  await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce')
  expect(await decide('keep', null, null)).toEqual({ restored: 0 })
  expect(await hasTripped()).toBe(false)
  expect(await deadDevices()).toEqual([device])
  expect(await counted()).toEqual({ minutes: [usual], people: 1 })
})

test.each(['sender', 'admin'] as const)('the role of %s may undo', async (program) => {
  await retire(20)
  const wish = { appNo: scene.appNo, provider: 'apns', decision: 'undo' } as const
  const own = db.as(program, 1)
  const undo = () => decideBounces(own, { ...wish, from: ago(30), to: ago(10) })
  expect(await inWorkspaces([scene.workspaceNo], undo)).toEqual({ restored: 1 })
  expect(await counted()).toEqual({ minutes: [undone], people: 0 })
})

test('a lane that the guard of an older version paused goes on, and the guard keeps its reason', async () => {
  await using old = await createTestDatabase()
  const { appNo } = await createScene(old.database)
  const url = new URL('../migrations/0071_guard_by_people.sql', import.meta.url)
  await old.database.query(
    `drop table bounced_people; alter table devices drop column was_accepted;
     alter table app_providers drop column guard_reason;
     update app_providers set paused_at = now(), pause_reason = 'mass bounce: 100 % of 500 tokens',
       guarded_since = now() where app_no = ${appNo} and provider = 'apns';
     update app_providers set paused_at = now(), pause_reason = 'InvalidProviderToken'
       where app_no = ${appNo} and provider = 'fcm'`,
  )
  await old.database.query(await readFile(url, 'utf8'))
  const { rows } = await old.database.query(
    `select provider, paused_at is not null as "isPaused", pause_reason as "pausedFor",
            guarded_since is not null as "hasTripped", guard_reason as "guardedFor"
     from app_providers where app_no = $1 order by provider`,
    [appNo],
  )
  const guardedFor = 'mass bounce: 100 % of 500 tokens'
  expect(rows).toEqual([
    { provider: 'apns', isPaused: false, pausedFor: null, hasTripped: true, guardedFor },
    {
      provider: 'fcm',
      isPaused: true,
      pausedFor: 'InvalidProviderToken',
      hasTripped: false,
      guardedFor: null,
    },
  ])
})
