import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createPartitions, createReceiptTaker, dropOldMessages } from '../src/index.ts'
import { accept, createScene, insertDevice, insertPerson, type Scene } from './fixtures.ts'

const dayMs = 86_400_000
const retention = { messageDays: 30, timelineDays: 400 }

let db: TestDatabase
let scene: Scene
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())
beforeEach(async () => {
  await db.database.query('truncate workspaces, messages, people, devices, device_events cascade')
  scene = await createScene(db.database)
  await insertDevice(scene, { personNo: await insertPerson(scene, 'ana') })
  for (let day = 0; day < 40; day += 8)
    await createPartitions(db.database, Date.now() + day * dayMs, 8)
})

/** Accepts a message, and says that all of it was sent. */
async function sentMessage(ttlSeconds = 3600): Promise<string> {
  const id = await accept(scene, { to: { person_id: 'ana' }, ttl_seconds: ttlSeconds })
  await db.database.query(
    `with settled as (
       update chunks c set state = 'done' from messages m
       where m.id = $1 and c.message_no = m.message_no
       returning c.message_no, c.device_nos[1] as device_no
     ), receipt as (
       insert into receipts (message_no, device_no, events, news, delivered_at)
       select message_no, device_no, 1, 1, now() from settled
     ), counted as (
       insert into receipt_counts (message_no, delivered) select message_no, 1 from settled
     ), early as (
       insert into early_receipts (message_no, device_no, events, delivered_at)
       select message_no, device_no + 1, 1, now() from settled
     ), progress as (
       insert into message_progress (message_no, at, sent, bounced, suppressed, failed, expired)
       select message_no, now(), 1, 0, 0, 0, 0 from settled
     ), reason as (
       insert into message_reasons (message_no, status, reason, deliveries)
       select message_no, 2, 'token_dead', 1 from settled
     )
     insert into deliveries (message_no, device_no, at, status, attempts)
     select message_no, device_no, now(), 1, 1 from settled`,
    [id],
  )
  return id
}

const keep = (days: number) => dropOldMessages(db.database, Date.now() + days * dayMs, retention)

async function rows(table: string): Promise<number> {
  const { rows } = await db.database.query(`select count(*)::int as count from ${table}`)
  return rows[0].count
}

const tables = [
  'messages',
  'message_counts',
  'chunks',
  'deliveries',
  'receipts',
  'receipt_counts',
  'early_receipts',
  'message_progress',
  'message_reasons',
]

const left = async () =>
  Object.fromEntries(
    await Promise.all(tables.map(async (table) => [table, await rows(table)] as const)),
  )

const oneOfEach = Object.fromEntries(tables.map((table) => [table, 1]))
const noneOfAny = Object.fromEntries(tables.map((table) => [table, 0]))

test('a message goes with all that belongs to it, a while after it ended', async () => {
  await sentMessage()
  await keep(29)
  expect(await left()).toEqual(oneOfEach)
  await keep(32)
  expect(await left()).toEqual(noneOfAny)
})

test('its receipts go with it, and their sums', async () => {
  const id = await sentMessage()
  const { rows: devices } = await db.database.query('select token from devices')
  const take = createReceiptTaker(db.database)
  const { workspaceNo } = scene
  const receipt = { workspaceNo, appNo: null, messageId: id, token: devices[0].token, at: null }
  await take({ ...receipt, event: 'opened' })
  const receipts = async () => [await rows('receipts'), await rows('receipt_counts')]
  await keep(29)
  expect(await receipts()).toEqual([1, 1])
  await keep(32)
  expect(await receipts()).toEqual([0, 0])
})

test('a message that is not over stays, and with it the deliveries of its day', async () => {
  await sentMessage()
  await sentMessage(20 * 86_400)
  await keep(32)
  expect(await left()).toMatchObject({ messages: 1, deliveries: 2 })
  await keep(52)
  expect(await left()).toMatchObject({ messages: 0, deliveries: 0 })
})

test('a message with open work stays, however old it is', async () => {
  await accept(scene, { to: { person_id: 'ana' }, ttl_seconds: 60 })
  await keep(300)
  expect(await left()).toMatchObject({ messages: 1, chunks: 1 })
})

test('deliveries that found no partition go, too', async () => {
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  await db.database.query(`drop table deliveries_${today}`)
  await sentMessage()
  expect(await rows('deliveries_default')).toBe(1)
  await keep(32)
  expect(await rows('deliveries_default')).toBe(0)
})

test('the key of a request is forgotten after a week', async () => {
  const idempotency = { key: 'order-1', bodyHash: Buffer.alloc(32) }
  await accept(scene, { to: { person_id: 'ana' } }, { idempotency })
  await keep(6)
  expect(await rows('idempotency_keys')).toBe(1)
  await keep(8)
  expect(await rows('idempotency_keys')).toBe(0)
})

test('a timeline outlives its messages, and goes by the month', async () => {
  await db.database.query(`insert into device_events (device_no, kind) values (1, 'registered')`)
  await keep(300)
  expect(await rows('device_events')).toBe(1)
  await keep(435)
  expect(await rows('device_events')).toBe(0)
})
