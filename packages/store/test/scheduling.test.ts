import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  beginMessage,
  cancelMessage,
  checkBooks,
  createPartitions,
  createReceiptTaker,
  planSlice,
  releaseMessage,
  rescue,
  takeDoorbells,
} from '../src/index.ts'
import { accept, createScene, insertDevice, insertPerson, report, type Scene } from './fixtures.ts'

let db: TestDatabase
let scene: Scene
beforeAll(async () => {
  db = await createTestDatabase()
  await createPartitions(db.database, Date.now())
})
afterAll(() => db[Symbol.asyncDispose]())
beforeEach(async () => {
  await db.database.query(
    'truncate workspaces, people, devices, messages, chunks, outbox, deliveries, early_receipts cascade',
  )
  scene = await createScene(db.database)
})

const hourMs = 3_600_000

/** A message for ana that is due in an hour. */
function schedule(change: object = {}): Promise<string> {
  const message = { to: { person_id: 'ana' }, send_at: Date.now() + hourMs, ttl_seconds: 600 }
  return accept(scene, { ...message, ...change }, { planNow: false })
}

/** Moves a message's time to the past, as if an hour had gone by. */
async function makeDue(id: string): Promise<void> {
  await db.database.query(
    `with due as (
       update messages set send_at = now() - interval '1 second' where id = $1 returning message_no)
     update outbox set due_at = now() - interval '1 second' from due where ref = message_no`,
    [id],
  )
}

test('a scheduled message waits: no recipients, no doorbell, nothing to plan or to rescue', async () => {
  await insertDevice(scene, { personNo: await insertPerson(scene, 'ana') })
  const id = await schedule()
  const message = await report(scene, id)
  expect(message).toMatchObject({ state: 'scheduled', counts: { recipients: 0, pending: 0 } })
  const { sendAt, expiresAt } = message
  expect(Number(sendAt) - Date.now()).toBeGreaterThan(hourMs - 60_000)
  expect(Number(expiresAt) - Number(sendAt)).toBe(600_000)
  expect(await takeDoorbells(db.database, 10)).toEqual([])
  expect(await beginMessage(db.database, message.messageNo)).toBeNull()
  await db.database.query(`update messages set created_at = now() - interval '1 day'`)
  expect(await rescue(db.database, 10)).toMatchObject({ unplanned: 0 })
})

test('what is due at once, or was, is not scheduled', async () => {
  for (const send_at of [undefined, Date.now() - hourMs]) {
    const id = await accept(scene, { to: { all: true }, send_at })
    const { state, sendAt, messageNo } = await report(scene, id)
    expect({ state, sendAt }).toEqual({ state: 'accepted', sendAt: null })
    expect(await takeDoorbells(db.database, 10)).toMatchObject([{ queue: 'plan', ref: messageNo }])
    expect(await beginMessage(db.database, messageNo)).toBe(messageNo)
  }
})

test('once due it is rung, numbered by now, and planned for whoever is there now', async () => {
  const personNo = await insertPerson(scene, 'ana')
  const id = await schedule()
  const before = await report(scene, id)
  await insertDevice(scene, { personNo })
  await makeDue(id)
  const [bell] = await takeDoorbells(db.database, 10)
  expect(bell).toMatchObject({ queue: 'plan', ref: before.messageNo })
  const begun = await beginMessage(db.database, before.messageNo)
  expect(BigInt(begun ?? 0)).toBeGreaterThan(BigInt(before.messageNo))
  const beginning = await report(scene, id)
  expect(beginning).toMatchObject({ state: 'accepted', messageNo: begun })
  // Its time to live counts from now.
  expect(Number(beginning.expiresAt) - Date.now()).toBeGreaterThan(590_000)
  expect(await planSlice(db.database, String(begun))).toBe(false)
  const counts = { recipients: 1, pending: 1 }
  expect(await report(scene, id)).toMatchObject({ state: 'sending', counts })
})

test('two planners begin it once, and a late ring of its old number finds nothing', async () => {
  const id = await schedule()
  const { messageNo } = await report(scene, id)
  await makeDue(id)
  const begun = await Promise.all(
    Array.from({ length: 6 }, () => beginMessage(db.database, messageNo)),
  )
  const [number, ...others] = begun.filter((no) => no !== null)
  expect(others).toEqual([])
  expect((await report(scene, id)).messageNo).toBe(number)
  // A planner that broke off: the one that comes next goes on under the new number.
  expect(await beginMessage(db.database, String(number))).toBe(number)
})

test('one that nobody planned is rung again once it is due, begun or not', async () => {
  const id = await schedule()
  await db.database.query(`update messages set send_at = now() - interval '10 seconds'`)
  expect(await rescue(db.database, 10)).toMatchObject({ unplanned: 1 })
  const { messageNo } = await report(scene, id)
  const begun = await beginMessage(db.database, messageNo)
  await db.database.query('truncate outbox')
  expect(await rescue(db.database, 10)).toMatchObject({ unplanned: 1 })
  expect(await takeDoorbells(db.database, 10)).toMatchObject([{ queue: 'plan', ref: begun }])
})

test('many that wait do not keep one that was forgotten from being found', async () => {
  for (let count = 0; count < 5; count += 1) await schedule()
  await db.database.query(`update messages set created_at = now() - interval '2 days'`)
  const forgotten = await accept(scene, { to: { all: true } })
  await db.database.query(
    `update messages set created_at = now() - interval '1 minute' where id = $1`,
    [forgotten],
  )
  expect(await rescue(db.database, 1)).toMatchObject({ unplanned: 1 })
})

test('released, it is due now, and its doorbell with it', async () => {
  const id = await schedule()
  const other = await schedule()
  const release = () =>
    releaseMessage(db.database, { workspaceNo: scene.workspaceNo, appNo: null, id })
  expect(await release()).toBe('released')
  const { messageNo, state } = await report(scene, id)
  expect(state).toBe('scheduled')
  expect(await takeDoorbells(db.database, 10)).toMatchObject([{ queue: 'plan', ref: messageNo }])
  expect(await beginMessage(db.database, messageNo)).not.toBeNull()
  expect(await release()).toBe('begun')
  expect((await report(scene, other)).state).toBe('scheduled')
})

test('cancelled, it is done, is not begun, and cannot be released', async () => {
  const id = await schedule()
  const { messageNo } = await report(scene, id)
  const name = { workspaceNo: scene.workspaceNo, appNo: null, id }
  expect(await cancelMessage(db.database, name)).toBe(true)
  expect(await report(scene, id)).toMatchObject({ state: 'done', counts: { recipients: 0 } })
  expect(await releaseMessage(db.database, name)).toBe('cancelled')
  await makeDue(id)
  expect(await rescue(db.database, 10)).toMatchObject({ unplanned: 0 })
  await beginMessage(db.database, messageNo)
  expect(await planSlice(db.database, messageNo)).toBe(false)
  expect((await report(scene, id)).messageNo).toBe(messageNo)
})

test('the check of the books passes by while it waits, and comes by its new number', async () => {
  await insertDevice(scene, { personNo: await insertPerson(scene, 'ana') })
  const id = await schedule()
  const { rows } = await db.database.query<{ no: string }>(
    `with old as (
       update messages set message_no = message_no_at(now() - interval '2 hours')
       where id = $1 returning message_no)
     update message_counts set message_no = old.message_no from old
     returning message_counts.message_no as no`,
    [id],
  )
  expect(await checkBooks(db.database, 10)).toMatchObject({ checked: 0 })
  expect((await db.database.query('select from audit_later')).rowCount).toBe(0)
  await makeDue(id)
  const begun = await beginMessage(db.database, rows[0]?.no ?? '')
  const { rows: position } = await db.database.query<{ message_no: string }>(
    'select message_no from audit_position',
  )
  expect(BigInt(begun ?? 0)).toBeGreaterThan(BigInt(position[0]?.message_no ?? 0))
})

test('releasing tells what is not scheduled or not there', async () => {
  const atOnce = await accept(scene, { to: { all: true } })
  const scheduled = await schedule()
  const { workspaceNo } = scene
  const release = (call: { workspaceNo: number; appNo: number | null; id: string }) =>
    releaseMessage(db.database, call)
  expect(await release({ workspaceNo, appNo: null, id: atOnce })).toBe('not-scheduled')
  const other = await createScene(db.database)
  expect(await release({ ...other, appNo: null, id: scheduled })).toBe('unknown')
  expect(await release({ workspaceNo, appNo: scene.appNo, id: scheduled })).toBe('unknown')
})

test('its deliveries go where those of the day of sending are', async () => {
  const personNo = await insertPerson(scene, 'ana')
  const { token } = await insertDevice(scene, { personNo })
  const id = await schedule()
  // Accepted 80 days ago, as its number says.
  await db.database.query(
    `with old as (
       update messages set message_no = message_no_at(now() - interval '80 days')
       where id = $1 returning message_no)
     update message_counts set message_no = old.message_no from old`,
    [id],
  )
  await db.database.query(`update messages set send_at = now()`)
  const begun = await beginMessage(db.database, (await report(scene, id)).messageNo)
  await planSlice(db.database, String(begun))
  await db.database.query(
    `insert into deliveries (message_no, device_no, at, status, attempts)
     select message_no, unnest(device_nos), now(), 1, 1 from chunks`,
  )
  const take = createReceiptTaker(db.database)
  const { workspaceNo } = scene
  await take({ workspaceNo, appNo: null, messageId: id, token, event: 'opened', at: null })
  const { rows } = await db.database.query(
    `select tableoid::regclass::text as part from deliveries
     union all select tableoid::regclass::text from receipts`,
  )
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  expect(rows.map((row) => row.part)).toEqual([`deliveries_${day}`, `receipts_${day}`])
})
