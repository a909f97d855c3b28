import { randomUUID } from 'node:crypto'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { checkBooks, leaseChunks, recordOutcomes } from '../src/index.ts'
import {
  accept,
  createScene,
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
    'truncate workspaces, messages, message_counts, chunks, deliveries, books_later, unbalanced_messages cascade',
  )
  await db.database.query('update books_position set message_no = 0')
  scene = await createScene(db.database)
  const personNo = await insertPerson(scene, 'ana')
  await insertDevice(scene, { personNo })
  await insertDevice(scene, { personNo })
})

/** A message whose number says that it is two minutes old. */
async function oldMessage(): Promise<string> {
  const id = await accept(scene, { to: { person_id: 'ana' } })
  for (const table of ['chunks', 'message_counts', 'messages']) {
    await db.database.query('set session_replication_role = replica')
    await db.database.query(
      `update ${table} set message_no = message_no - (120000::bigint << 20)
       where message_no > message_no_at(now() - interval '1 minute')`,
    )
  }
  await db.database.query('set session_replication_role = origin')
  return id
}

async function deliver(): Promise<void> {
  for (const chunkNo of await openChunks(scene)) {
    const [chunk] = await leaseChunks(db.database, [{ chunkNo, lease: randomUUID() }], 100)
    if (!chunk) throw new Error('not leased')
    await recordOutcomes(
      db.database,
      chunk.recipients.map((recipient) => sent(chunk, recipient)),
    )
  }
}

async function chunks(): Promise<number> {
  const { rows } = await db.database.query('select count(*)::int as count from chunks')
  return rows[0].count
}

const check = () => checkBooks(db.database, 100)

test('a message that is done is checked, once, and its chunks go', async () => {
  const id = await oldMessage()
  await deliver()
  expect(await check()).toEqual({ checked: 1, unbalanced: [] })
  expect(await check()).toEqual({ checked: 0, unbalanced: [] })
  expect(await chunks()).toBe(0)
  expect(await report(scene, id)).toMatchObject({ isOpen: false, counts: { sent: 2, pending: 0 } })
})

test('a message that was accepted just now is left in peace', async () => {
  await accept(scene, { to: { person_id: 'ana' } })
  await deliver()
  expect(await check()).toEqual({ checked: 0, unbalanced: [] })
})

test('a message that is under way is checked when it is done', async () => {
  await oldMessage()
  await oldMessage()
  expect(await check()).toEqual({ checked: 0, unbalanced: [] })
  await deliver()
  // It is looked at again after a while, not each time.
  expect(await check()).toEqual({ checked: 0, unbalanced: [] })
  await db.database.query('update books_later set look_at = now()')
  expect(await check()).toEqual({ checked: 2, unbalanced: [] })
  expect(await check()).toEqual({ checked: 0, unbalanced: [] })
})

test.each([
  ['a delivery that is not counted', 'update message_counts set sent = sent - 1'],
  [
    'a count without a delivery',
    'delete from deliveries where device_no in (select device_no from deliveries limit 1)',
  ],
  ['a recipient that nobody recorded', 'update message_counts set recipients = recipients + 1'],
  ['a delivery that was left pending', 'update deliveries set status = 0'],
])('%s is found and kept, and the message is reported as not balanced', async (_, spoil) => {
  const id = await oldMessage()
  await deliver()
  expect((await report(scene, id)).isUnbalanced).toBe(false)
  await db.database.query(spoil)
  expect(await check()).toMatchObject({ checked: 1, unbalanced: [{ id }] })
  expect((await report(scene, id)).isUnbalanced).toBe(true)
  expect(await chunks()).toBe(1)
})

test('a long list of messages is checked in turns', async () => {
  for (let n = 0; n < 5; n += 1) await oldMessage()
  await deliver()
  const checked = []
  do checked.push((await checkBooks(db.database, 2)).checked)
  while (checked.at(-1) === 2)
  expect(checked).toEqual([2, 2, 1])
})
