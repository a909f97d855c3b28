import { randomUUID } from 'node:crypto'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  claimWindow,
  closeChunk,
  createApp,
  createWorkspace,
  decideBounces,
  type LeasedChunk,
  leaseChunks,
  openLane,
  pauseProvider,
  planSlice,
  recordOutcomes,
  releaseChunk,
  renewLeases,
  rescue,
  takeDoorbells,
  tripGuard,
  updateUsualShares,
} from '../src/index.ts'
import {
  accept,
  createScene,
  deviceRow,
  insertDevice,
  insertPerson,
  openChunks,
  report,
  type Scene,
  sent,
} from './fixtures.ts'

let db: TestDatabase
let scene: Scene
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())
beforeEach(async () => {
  await db.database.query(
    'truncate workspaces, apps, people, devices, messages, message_counts, chunks, outbox, deliveries, device_events, idempotency_keys, app_providers, bounce_minutes cascade',
  )
  scene = await createScene(db.database)
})

async function lease(chunkNo: string, window = 100): Promise<LeasedChunk | undefined> {
  const [chunk] = await leaseChunks(db.database, [{ chunkNo, lease: randomUUID() }], window)
  return chunk
}

async function leaseOf(chunkNo: string): Promise<string> {
  const { rows } = await db.database.query('select lease from chunks where chunk_no = $1', [
    chunkNo,
  ])
  return rows[0].lease
}

async function firstChunk(): Promise<string> {
  const [chunkNo] = await openChunks(scene)
  if (!chunkNo) throw new Error('no open chunk')
  return chunkNo
}

async function mustLease(chunkNo: string, window = 100): Promise<LeasedChunk> {
  const chunk = await lease(chunkNo, window)
  if (!chunk) throw new Error('not leased')
  return chunk
}

test('a message to a person is planned where it is accepted, one chunk a provider', async () => {
  const ana = await insertPerson(scene, 'ana')
  await insertDevice(scene, { personNo: ana })
  await insertDevice(scene, { personNo: ana })
  await insertDevice(scene, { personNo: ana, platform: 'android' })
  await insertDevice(scene)
  const id = await accept(scene, { to: { person_id: 'ana' } })
  expect((await report(scene, id)).counts).toMatchObject({ recipients: 3, pending: 3 })
  const bells = await takeDoorbells(db.database, 10)
  expect(bells.map((bell) => bell.queue).sort()).toEqual([
    'apns-transactional',
    'fcm-transactional',
  ])
})

test('an audience of everyone is planned in slices; a chunk has at most 500 of one provider', async () => {
  await db.database.query(
    `insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at, ordered_at)
     select $1, gen_random_uuid(), 'f' || i, 'ios', case when i % 4 = 0 then 'fcm' else 'apns' end, 0, now(), now()
     from generate_series(1, 41000) i`,
    [scene.appNo],
  )
  const id = await accept(scene, { to: { all: true } }, { lane: 'bulk' })
  const { messageNo } = await report(scene, id)
  const more = []
  do more.push(await planSlice(db.database, messageNo))
  while (more.at(-1))
  expect(more).toEqual([...Array(8).fill(true), false])
  expect((await report(scene, id)).counts.recipients).toBe(41_000)
  const { rows } = await db.database.query(
    `select max(size) as largest, sum(size)::int as total, count(distinct d)::int as distinct
     from chunks cross join unnest(device_nos) d`,
  )
  expect(rows[0].largest).toBeLessThanOrEqual(500)
  expect(rows[0].distinct).toBe(41_000)
  expect(await planSlice(db.database, messageNo)).toBe(false)
})

test('everyone is everyone of all apps of the workspace, one app after the other, or of one app', async () => {
  const { workspaceNo: elsewhere } = await createWorkspace(db.database, 'elsewhere')
  const apps = [scene.appNo]
  // (Slices are of 5,000.)
  for (const [workspaceNo, devices] of [
    [scene.workspaceNo, 5000],
    [scene.workspaceNo, 0],
    [elsewhere, 7],
    [scene.workspaceNo, 5003],
  ] as const) {
    const { appNo } = await createApp(db.database, workspaceNo, `app ${apps.length}`)
    apps.push(appNo)
    await db.database.query(
      `insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at, ordered_at)
       select $1, gen_random_uuid(), 'f' || i, 'ios', 'apns', 0, now(), now() from generate_series(1, $2) i`,
      [appNo, devices],
    )
  }
  await insertDevice(scene)
  const planned = async (appNo: number | null) => {
    const id = await accept(scene, { to: { all: true } }, { appNo })
    const { messageNo } = await report(scene, id)
    while (await planSlice(db.database, messageNo));
    const { rows } = await db.database.query<{ app_no: number; devices: number }>(
      `select app_no, count(distinct d)::int as devices from chunks cross join unnest(device_nos) d
       where message_no = $1 group by app_no order by app_no`,
      [messageNo],
    )
    return rows.map(({ app_no, devices }) => [apps.indexOf(app_no), devices])
  }
  expect(await planned(null)).toEqual([
    [0, 1],
    [1, 5000],
    [4, 5003],
  ])
  expect(await planned(apps[1] ?? 0)).toEqual([[1, 5000]])
  expect(await planned(apps[2] ?? 0)).toEqual([])
})

test('a chunk has one holder; a second job for it finds nothing', async () => {
  const ana = await insertPerson(scene, 'ana')
  await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunkNo = await firstChunk()
  const all = await Promise.all(Array.from({ length: 8 }, () => lease(chunkNo)))
  expect(all.filter(Boolean)).toHaveLength(1)
})

test('windows are claimed by compare-and-set, and a lost lease claims nothing more', async () => {
  const ana = await insertPerson(scene, 'ana')
  for (let i = 0; i < 5; i += 1) await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunkNo = await firstChunk()
  const chunk = await mustLease(chunkNo, 2)
  expect(chunk.recipients).toHaveLength(2)
  const token = await leaseOf(chunkNo)
  const next = await claimWindow(db.database, chunk, token, 2)
  expect(next?.map((r) => r.deviceNo)).not.toContain(chunk.recipients[0]?.deviceNo)
  expect(await claimWindow(db.database, chunk, token, 2)).toBeNull()
  expect(await claimWindow(db.database, { ...chunk, claimed: 4 }, randomUUID(), 2)).toBeNull()
  expect(await claimWindow(db.database, { ...chunk, claimed: 4 }, token, 2)).toHaveLength(1)
})

test('what was claimed and not recorded under a lease that ran out comes back as unknown', async () => {
  const ana = await insertPerson(scene, 'ana')
  for (let i = 0; i < 5; i += 1) await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunkNo = await firstChunk()
  const chunk = await mustLease(chunkNo, 3)
  const [first, second, third] = chunk.recipients
  if (!first || !second || !third) throw new Error('no recipients')
  await recordOutcomes(db.database, [sent(chunk, first)])
  await db.database.query(`update chunks set rescue_at = now() - interval '1 second'`)
  expect(await rescue(db.database, 10)).toMatchObject({ expiredLeases: 1 })
  const again = await mustLease(chunkNo, 3)
  expect(again.claimed).toBe(3)
  expect(again.recipients.map((r) => [r.deviceNo, r.mayHaveBeenSent])).toEqual([
    [second.deviceNo, true],
    [third.deviceNo, true],
  ])
  const rest = await claimWindow(db.database, again, await leaseOf(chunkNo), 3)
  expect(rest?.map((r) => r.mayHaveBeenSent)).toEqual([false, false])
})

test('each lease that ran out counts as a try of what it had claimed', async () => {
  const ana = await insertPerson(scene, 'ana')
  await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunkNo = await firstChunk()
  const attempts = []
  for (let leases = 0; leases < 4; leases += 1) {
    const { recipients } = await mustLease(chunkNo)
    attempts.push(recipients.map((recipient) => recipient.attempts))
    await db.database.query(`update chunks set rescue_at = now() - interval '1 second'`)
  }
  expect(attempts).toEqual([[0], [1], [2], [3]])
})

test('a window that was claimed and handed back unsent is no unknown outcome', async () => {
  const ana = await insertPerson(scene, 'ana')
  for (let i = 0; i < 3; i += 1) await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunkNo = await firstChunk()
  await mustLease(chunkNo)
  await releaseChunk(db.database, { chunkNo, lease: await leaseOf(chunkNo), claimed: 0 }, 0)
  const again = await mustLease(chunkNo)
  expect(again.recipients.map((r) => r.mayHaveBeenSent)).toEqual([false, false, false])
})

test('R6 and R7 are looked at when a window is claimed', async () => {
  const ana = await insertPerson(scene, 'ana')
  const bo = await insertPerson(scene, 'bo')
  const device = async () => (await insertDevice(scene, { personNo: ana })).deviceNo
  const moved = await device()
  const untied = await device()
  const deleted = await device()
  const muted = await device()
  const dead = await device()
  const foreign = await device()
  const well = await device()
  await accept(scene, { to: { person_id: 'ana' } })
  const change = (deviceNo: string, set: string) =>
    db.database.query(`update devices set ${set} where device_no = $1`, [deviceNo])
  await change(moved, `person_no = ${bo}`)
  await change(untied, 'person_no = null')
  await change(deleted, 'deleted_at = now(), token = null')
  await change(muted, 'push_permission = false')
  await change(dead, 'dead_at = now()')
  await change(foreign, 'failures = 3')
  const { recipients } = await mustLease(await firstChunk())
  expect(Object.fromEntries(recipients.map((r) => [r.deviceNo, r.withheld]))).toEqual({
    [moved]: 'reassigned',
    [untied]: 'reassigned',
    [deleted]: 'deleted',
    [muted]: 'push_disabled',
    [dead]: 'token_dead',
    [foreign]: 'wrong_app',
    [well]: null,
  })
})

test('a suppressed person gets nothing', async () => {
  const ana = await insertPerson(scene, 'ana')
  await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  await db.database.query('update people set suppressed_at = now()')
  const { recipients } = await mustLease(await firstChunk())
  expect(recipients.map((r) => r.withheld)).toEqual(['person_suppressed'])
})

test('a broadcast reaches a device that was identified meanwhile, not one that changed hands', async () => {
  const ana = await insertPerson(scene, 'ana')
  const bo = await insertPerson(scene, 'bo')
  const anonymous = await insertDevice(scene)
  const owned = await insertDevice(scene, { personNo: ana })
  const id = await accept(scene, { to: { all: true } }, { lane: 'bulk' })
  await planSlice(db.database, (await report(scene, id)).messageNo)
  await db.database.query('update devices set person_no = $1', [bo])
  const chunk = await mustLease(await firstChunk())
  // A broadcast waits for room before it claims.
  expect(chunk).toMatchObject({ claimed: 0, recipients: [] })
  const recipients = await claimWindow(db.database, chunk, await leaseOf(chunk.chunkNo), 100)
  expect(Object.fromEntries((recipients ?? []).map((r) => [r.deviceNo, r.withheld]))).toEqual({
    [anonymous.deviceNo]: null,
    [owned.deviceNo]: 'reassigned',
  })
})

test('pending deliveries become chunks of their own, due when they may be tried again', async () => {
  const ana = await insertPerson(scene, 'ana')
  for (let i = 0; i < 3; i += 1) await insertDevice(scene, { personNo: ana })
  const id = await accept(scene, { to: { person_id: 'ana' } })
  const chunkNo = await firstChunk()
  const chunk = await mustLease(chunkNo)
  const token = await leaseOf(chunkNo)
  const [first, second, third] = chunk.recipients
  if (!first || !second || !third) throw new Error('no recipients')
  const pending = {
    status: 'pending' as const,
    reason: 'ServiceUnavailable',
    at: Date.now() - 5000,
  }
  await recordOutcomes(db.database, [sent(chunk, first), sent(chunk, second, pending)])
  expect(await closeChunk(db.database, chunkNo, token)).toBe(false)
  await recordOutcomes(db.database, [sent(chunk, third, pending)])
  expect(await closeChunk(db.database, chunkNo, token)).toBe(true)
  expect((await report(scene, id)).counts).toMatchObject({ recipients: 3, sent: 1, pending: 2 })
  const retryNo = await firstChunk()
  expect(retryNo).not.toBe(chunkNo)
  const retry = await mustLease(retryNo)
  expect(retry.isRetry).toBe(true)
  expect(retry.recipients.map((r) => [r.deviceNo, r.attempts, r.mayHaveBeenSent])).toEqual([
    [second.deviceNo, 1, false],
    [third.deviceNo, 1, false],
  ])
  await recordOutcomes(
    db.database,
    retry.recipients.map((r) => sent(retry, r, { attempts: 2 })),
  )
  expect((await report(scene, id)).counts).toMatchObject({ sent: 3, pending: 0 })
  expect(await openChunks(scene)).toEqual([])
})

test('a settled delivery stays as it is, whoever records second, and is counted once', async () => {
  const ana = await insertPerson(scene, 'ana')
  const { deviceNo } = await insertDevice(scene, { personNo: ana })
  const id = await accept(scene, { to: { person_id: 'ana' } })
  const chunk = await mustLease(await firstChunk())
  const [recipient] = chunk.recipients
  if (!recipient) throw new Error('no recipient')
  await recordOutcomes(db.database, [sent(chunk, recipient)])
  const late = {
    status: 'failed' as const,
    effect: { lastStatus: null, token: null, failures: null },
  }
  expect(await recordOutcomes(db.database, [sent(chunk, recipient, late)])).toMatchObject({
    written: 0,
  })
  expect((await report(scene, id)).counts).toMatchObject({ sent: 1, failed: 0, pending: 0 })
  expect((await deviceRow(scene, deviceNo))?.last_status).toBe('sent')
})

test('a dead verdict binds the registration it was about, and the timeline tells', async () => {
  const ana = await insertPerson(scene, 'ana')
  const fresh = await insertDevice(scene, { personNo: ana })
  const gone = await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunk = await mustLease(await firstChunk())
  await db.database.query('update devices set epoch = epoch + 1 where device_no = $1', [
    fresh.deviceNo,
  ])
  const dead = {
    status: 'bounced' as const,
    reason: 'Unregistered',
    effect: { lastStatus: 'bounced' as const, token: 'retired' as const, failures: null },
  }
  const recorded = await recordOutcomes(
    db.database,
    chunk.recipients.map((r) => sent(chunk, r, dead)),
  )
  expect(recorded).toMatchObject({ written: 2, devices: 1, late: 1 })
  expect(await deviceRow(scene, fresh.deviceNo)).toMatchObject({ last_status: '', dead_at: null })
  expect(await deviceRow(scene, gone.deviceNo)).toMatchObject({
    last_status: 'bounced',
    dead_at: expect.any(Date),
    dead_reason: 'Unregistered',
  })
  const { rows } = await db.database.query(
    'select device_no, kind from device_events order by kind',
  )
  expect(rows).toEqual([
    { device_no: gone.deviceNo, kind: 'bounced' },
    { device_no: fresh.deviceNo, kind: 'verdict_ignored' },
  ])
})

test('statuses never run backwards', async () => {
  const ana = await insertPerson(scene, 'ana')
  const { deviceNo } = await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const first = await mustLease(await firstChunk())
  await accept(scene, { to: { person_id: 'ana' } })
  const [, secondNo] = await openChunks(scene)
  const second = await mustLease(secondNo ?? '')
  const [a] = first.recipients
  const [b] = second.recipients
  if (!a || !b) throw new Error('no recipients')
  const now = Date.now()
  await recordOutcomes(db.database, [sent(second, b, { at: now })])
  const older = { lastStatus: null, token: null, failures: 1 }
  await recordOutcomes(db.database, [
    sent(first, a, { at: now - 1000, status: 'failed', effect: older }),
  ])
  expect(await deviceRow(scene, deviceNo)).toMatchObject({ last_status: 'sent', failures: 0 })
})

test('batches over the same devices in any order do not deadlock', async () => {
  const ana = await insertPerson(scene, 'ana')
  for (let i = 0; i < 40; i += 1) await insertDevice(scene, { personNo: ana })
  for (let i = 0; i < 12; i += 1) await accept(scene, { to: { person_id: 'ana' } })
  const chunks = await Promise.all((await openChunks(scene)).map((chunkNo) => mustLease(chunkNo)))
  await Promise.all(
    chunks.map((chunk, index) => {
      const rows = chunk.recipients.map((r) => sent(chunk, r))
      return recordOutcomes(db.database, index % 2 ? rows.reverse() : rows)
    }),
  )
  const { rows } = await db.database.query(
    'select count(*)::int as n from deliveries where status = 1',
  )
  expect(rows[0].n).toBe(480)
})

test('a paused app is left in peace until it is resumed; its chunks are rung then', async () => {
  const ana = await insertPerson(scene, 'ana')
  await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  await takeDoorbells(db.database, 10)
  const chunkNo = await firstChunk()
  expect(await pauseProvider(db.database, scene.appNo, 'apns', 'InvalidProviderToken')).toBe(true)
  expect(await lease(chunkNo)).toBeUndefined()
  await db.database.query(`update chunks set rescue_at = now() - interval '1 second'`)
  await rescue(db.database, 10)
  expect(await takeDoorbells(db.database, 10)).toEqual([])
  expect(await openLane(db.database, scene.appNo, 'apns')).toBe(true)
  expect(await rescue(db.database, 10)).toMatchObject({ unheard: 1 })
  expect(await takeDoorbells(db.database, 10)).toHaveLength(1)
  expect(await lease(chunkNo)).toBeDefined()
})

test('while the guard has tripped no token is retired; undo makes the doubtful as they were', async () => {
  const ana = await insertPerson(scene, 'ana')
  const first = await insertDevice(scene, { personNo: ana })
  const second = await insertDevice(scene, { personNo: ana })
  const again = await insertDevice(scene, { personNo: ana })
  const id = await accept(scene, { to: { person_id: 'ana' } })
  const chunk = await mustLease(await firstChunk())
  const of = (deviceNo: string) => {
    const found = chunk.recipients.find((r) => r.deviceNo === Number(deviceNo))
    if (!found) throw new Error('no such recipient')
    return found
  }
  const dead = {
    status: 'bounced' as const,
    reason: 'Unregistered',
    effect: { lastStatus: 'bounced' as const, token: 'retired' as const, failures: null },
  }
  await db.database.query(`update devices set last_status = 'sent'`)
  const { verdicts } = await recordOutcomes(db.database, [
    sent(chunk, of(first.deviceNo), dead),
    sent(chunk, of(again.deviceNo), dead),
  ])
  // Two tokens of one person.
  const counted = { judged: 1, dead: 1 }
  expect(verdicts).toEqual([
    { appNo: scene.appNo, provider: 'apns', minute: counted, hour: counted, usualShare: null },
  ])
  expect(await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce')).toBe(true)
  await recordOutcomes(db.database, [sent(chunk, of(second.deviceNo), dead)])
  expect(await deviceRow(scene, second.deviceNo)).toMatchObject({
    last_status: 'sent',
    dead_at: null,
  })
  expect((await report(scene, id)).counts).toMatchObject({ bounced: 3, pending: 0 })
  const { rows } = await db.database.query(
    `select detail from device_events where device_no = $1 and kind = 'verdict_ignored'`,
    [second.deviceNo],
  )
  expect(rows).toEqual([{ detail: { reason: 'Unregistered', guarded: true } }])
  // Registered again since: nothing of it is in doubt any more.
  await db.database.query(
    `update devices set dead_at = null, last_status = '', epoch = epoch + 1 where device_no = $1`,
    [again.deviceNo],
  )
  expect(
    await decideBounces(db.database, {
      appNo: scene.appNo,
      provider: 'apns',
      decision: 'undo',
      from: null,
      to: null,
    }),
  ).toEqual({ restored: 1 })
  expect(await deviceRow(scene, first.deviceNo)).toMatchObject({
    last_status: 'sent',
    dead_at: null,
  })
  expect(await deviceRow(scene, again.deviceNo)).toMatchObject({ last_status: '' })
})

test('verdicts that were undone trip the guard no second time', async () => {
  const ana = await insertPerson(scene, 'ana')
  for (let i = 0; i < 3; i += 1) await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunk = await mustLease(await firstChunk())
  const [first, second, third] = chunk.recipients
  if (!first || !second || !third) throw new Error('no recipients')
  const effect = { lastStatus: 'bounced' as const, token: 'retired' as const, failures: null }
  const dead = { status: 'bounced' as const, reason: 'Unregistered', effect }
  await recordOutcomes(db.database, [sent(chunk, first, dead), sent(chunk, second, dead)])
  await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce')
  await decideBounces(db.database, {
    appNo: scene.appNo,
    provider: 'apns',
    decision: 'undo',
    from: null,
    to: null,
  })
  await recordOutcomes(db.database, [sent(chunk, third)])
  const { rows } = await db.database.query('select judged, dead from bounce_minutes')
  expect(rows).toEqual([{ judged: 1, dead: 0 }])
})

test('a guard whose bounces are kept stays quiet for an hour', async () => {
  expect(await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce')).toBe(true)
  expect(await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce')).toBe(false)
  await decideBounces(db.database, {
    appNo: scene.appNo,
    provider: 'apns',
    decision: 'keep',
    from: null,
    to: null,
  })
  expect(await tripGuard(db.database, scene.appNo, 'apns', 'mass bounce')).toBe(false)
})

test('what is usual comes from the week before, where enough was judged', async () => {
  const minute = (ago: string, judged: number, dead: number) =>
    db.database.query(
      `insert into bounce_minutes values ($1, 'apns', date_trunc('minute', now()) - $2::interval, $3, $4)`,
      [scene.appNo, ago, judged, dead],
    )
  await minute('8 days', 10_000, 10_000)
  await minute('1 day', 900, 18)
  await updateUsualShares(db.database)
  const usual = async () =>
    (
      await db.database.query(
        `select usual_dead_share as share from app_providers where provider = 'apns'`,
      )
    ).rows[0].share
  expect(await usual()).toBeNull()
  await minute('2 days', 100, 2)
  await minute('0 minutes', 1000, 1000)
  await updateUsualShares(db.database)
  expect(await usual()).toBeCloseTo(0.02)
})

test('renewing tells which leases are still ours', async () => {
  const ana = await insertPerson(scene, 'ana')
  await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunkNo = await firstChunk()
  await mustLease(chunkNo)
  const token = await leaseOf(chunkNo)
  expect(await renewLeases(db.database, [{ chunkNo, lease: token }])).toEqual(new Set([chunkNo]))
  expect(await renewLeases(db.database, [{ chunkNo, lease: randomUUID() }])).toEqual(new Set())
})

test('what templates read of a person comes with their claims, and nothing more', async () => {
  const ana = await insertPerson(scene, 'ana')
  await db.database.query(`update people set attributes = $2 where person_no = $1`, [
    ana,
    { name: 'Ana', plan: { tier: 'pro' }, secret: 'x' },
  ])
  const first = await insertDevice(scene, { personNo: ana })
  const second = await insertDevice(scene, { personNo: ana })
  const nobodys = await insertDevice(scene)
  const id = await accept(
    scene,
    { to: { all: true } },
    { lane: 'bulk', personKeys: ['id', 'name', 'plan', 'team'] },
  )
  await planSlice(db.database, (await report(scene, id)).messageNo)
  const chunkNo = await firstChunk()
  const chunk = await mustLease(chunkNo, 2)
  expect(chunk.message.personKeys).toEqual(['id', 'name', 'plan', 'team'])
  const recipients = await claimWindow(db.database, chunk, await leaseOf(chunkNo), 3)
  const known = { id: 'ana', name: 'Ana', plan: { tier: 'pro' } }
  expect(recipients?.map((r) => [r.deviceNo, r.customer])).toEqual([
    [Number(first.deviceNo), known],
    [Number(second.deviceNo), known],
    [Number(nobodys.deviceNo), null],
  ])
})

test('of sent pushes of which one is on record already the others count, and it stays one', async () => {
  const ana = await insertPerson(scene, 'ana')
  for (let i = 0; i < 3; i += 1) await insertDevice(scene, { personNo: ana })
  const id = await accept(scene, { to: { person_id: 'ana' } })
  const chunk = await mustLease(await firstChunk(), 3)
  const all = chunk.recipients.map((recipient) => sent(chunk, recipient))
  expect(await recordOutcomes(db.database, all.slice(1, 2))).toMatchObject({ written: 1 })
  expect(await recordOutcomes(db.database, all)).toMatchObject({ written: 2 })
  expect(await recordOutcomes(db.database, all)).toMatchObject({ written: 0 })
  expect(await report(scene, id)).toMatchObject({
    state: 'done',
    counts: { sent: 3, recipients: 3 },
  })
})

test('what is sent to a device that changed hands meanwhile is on record, and not on the device (R2)', async () => {
  const ana = await insertPerson(scene, 'ana')
  const { deviceNo } = await insertDevice(scene, { personNo: ana })
  await accept(scene, { to: { person_id: 'ana' } })
  const chunk = await mustLease(await firstChunk(), 1)
  const [recipient] = chunk.recipients
  if (!recipient) throw new Error('no recipient')
  await db.database.query('update devices set epoch = epoch + 1 where device_no = $1', [deviceNo])
  const recorded = await recordOutcomes(db.database, [sent(chunk, recipient)])
  expect(recorded).toMatchObject({ written: 1, devices: 0 })
  expect(await deviceRow(scene, deviceNo)).toMatchObject({ last_status: '' })
})

test('an older answer that is written later does not overwrite a newer one (R3)', async () => {
  const ana = await insertPerson(scene, 'ana')
  const { deviceNo } = await insertDevice(scene, { personNo: ana })
  const lease = async () => {
    await accept(scene, { to: { person_id: 'ana' } })
    const chunk = await mustLease((await openChunks(scene)).at(-1) ?? '', 1)
    const [recipient] = chunk.recipients
    if (!recipient) throw new Error('no recipient')
    return { chunk, recipient }
  }
  const [one, two] = [await lease(), await lease()]
  const at = Date.now()
  const failed = {
    status: 'failed',
    effect: { lastStatus: null, token: null, failures: 1 },
    at,
  } as const
  await recordOutcomes(db.database, [sent(two.chunk, two.recipient, failed)])
  const late = sent(one.chunk, one.recipient, { at: at - 1000 })
  expect(await recordOutcomes(db.database, [late])).toMatchObject({ written: 1, devices: 0 })
  expect(await deviceRow(scene, deviceNo)).toMatchObject({ last_status: '', failures: 1 })
})

test('planners of one message that run at the same time take turns: nobody is planned twice', async () => {
  await db.database.query(
    `insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at, ordered_at)
     select $1, gen_random_uuid(), 'p' || i, 'ios', 'apns', 0, now(), now()
     from generate_series(1, 130000) i`,
    [scene.appNo],
  )
  const id = await accept(scene, { to: { all: true } }, { lane: 'bulk' })
  const { messageNo } = await report(scene, id)
  const plan = async () => {
    while (await planSlice(db.database, messageNo));
  }
  await Promise.all([plan(), plan(), plan()])
  expect((await report(scene, id)).counts.recipients).toBe(130_000)
  const { rows } = await db.database.query(
    `select count(*)::int as all, count(distinct d)::int as different
     from chunks cross join unnest(device_nos) d`,
  )
  expect(rows).toEqual([{ all: 130_000, different: 130_000 }])
}, 60_000)
