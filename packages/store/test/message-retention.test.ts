import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createPartitions, dropOldMessages } from '../src/index.ts'
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

const left = async () =>
  Object.fromEntries(
    await Promise.all(
      ['messages', 'message_counts', 'chunks', 'deliveries'].map(async (table) => [
        table,
        await rows(table),
      ]),
    ),
  )

test('a message goes with all that belongs to it, a while after it ended', async () => {
  await sentMessage()
  await keep(29)
  expect(await left()).toEqual({ messages: 1, message_counts: 1, chunks: 1, deliveries: 1 })
  await keep(32)
  expect(await left()).toEqual({ messages: 0, message_counts: 0, chunks: 0, deliveries: 0 })
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
