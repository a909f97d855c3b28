import { randomUUID } from 'node:crypto'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import {
  analyzeOutgrown,
  connect,
  type Database,
  indexedSettings,
  leaseChunks,
  planSlice,
  recordOutcomes,
} from '../src/index.ts'
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

// PostgreSQL may settle for one plan once a statement was run five times in a session.
const settledAfter = 6

/** Rows of devices that all statements so far have read. */
async function rowsRead(database: Database): Promise<number> {
  // What a session read is counted a moment after it.
  await database.query('select pg_stat_force_next_flush()')
  const { rows } = await database.query<{ read: number }>(
    `select (seq_tup_read + idx_tup_fetch)::int as read
     from pg_stat_user_tables where relname = 'devices'`,
  )
  return rows[0]?.read ?? 0
}

interface Young {
  database: Database
  scene: Scene
}

/** A worker's or service's connection, with 20,000 devices of whose number the planner knows nothing. */
async function openYoung() {
  const direct = await createTestDatabase()
  const settings = indexedSettings
  const database = connect({ url: direct.url, name: 'test', connectionsMax: 1, settings })
  const scene = await createScene(database)
  await database.query('alter table devices set (autovacuum_enabled = off)')
  await database.query('alter table people set (autovacuum_enabled = off)')
  const personNo = await insertPerson(scene, 'p')
  const { token } = await insertDevice(scene, { personNo })
  const fill = () =>
    database.query(
      `insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at,
                            ordered_at)
       select $1, gen_random_uuid(), n::text, 'android', 'fcm', 0, now(), now()
       from generate_series(1, 20000) n`,
      [scene.appNo],
    )
  return {
    database,
    scene,
    token,
    fill,
    async [Symbol.asyncDispose]() {
      await database.end()
      await direct[Symbol.asyncDispose]()
    },
  }
}

test('a message reads the devices it is for, though no table was ever analyzed', async () => {
  await using young = await openYoung()
  const { database, scene, token } = young
  await young.fill()
  const before = await rowsRead(database)
  for (let count = 0; count < 10; count += 1) {
    await accept(scene, { to: { person_id: 'p' } })
    await accept(scene, { to: { person_ids: ['p', 'nobody'] } })
    await accept(scene, { to: { token } })
    await accept(scene, { to: { tokens: [token, 'ab'.repeat(32)] } })
  }
  expect((await rowsRead(database)) - before).toBeLessThan(100)
  const { rows } = await database.query('select sum(recipients)::int as sum from message_counts')
  expect(rows).toEqual([{ sum: 40 }])
})

/** Leases what is open and records it as sent. */
async function deliver({ scene, database }: Young, onLeased = async () => {}): Promise<void> {
  await accept(scene, { to: { person_id: 'p' } })
  for (const chunkNo of await openChunks(scene)) {
    const [chunk] = await leaseChunks(database, [{ chunkNo, lease: randomUUID() }], 100)
    const [recipient] = chunk?.recipients ?? []
    if (!chunk || !recipient) throw new Error('nothing was leased')
    await onLeased()
    await recordOutcomes(database, [sent(chunk, recipient)])
  }
}

test('a slice of a broadcast reads the devices that it plans, and not those that come after them', async () => {
  await using young = await openYoung()
  const { database, scene } = young
  await young.fill()
  await database.query('analyze devices')
  const before = await rowsRead(database)
  let slices = 0
  for (let count = 0; count < 3; count += 1) {
    const id = await accept(scene, { to: { all: true } })
    const { messageNo } = await report(scene, id)
    do slices += 1
    while (await planSlice(database, messageNo))
  }
  expect(slices).toBeGreaterThan(2 * settledAfter)
  expect((await rowsRead(database)) - before).toBeLessThan(3 * 20_001 + 200)
})

test('a lease reads the devices of its window, though no table was ever analyzed', async () => {
  await using young = await openYoung()
  const { database } = young
  for (let count = 0; count < settledAfter; count += 1) await deliver(young)
  await young.fill()
  let read = 0
  for (let count = 0; count < 10; count += 1) {
    const before = await rowsRead(database)
    await deliver(young, async () => {
      read += (await rowsRead(database)) - before
    })
  }
  expect(read).toBeLessThan(200)
})

test('once statistics are gathered of what grew, writing back reads the devices it is about', async () => {
  await using young = await openYoung()
  const { database } = young
  for (let count = 0; count < settledAfter; count += 1) await deliver(young)
  await young.fill()
  await database.query('select pg_stat_force_next_flush()')
  expect(await analyzeOutgrown(database)).toContain('devices')
  const before = await rowsRead(database)
  for (let count = 0; count < 10; count += 1) await deliver(young)
  expect((await rowsRead(database)) - before).toBeLessThan(200)
})

test('statistics are gathered of tables that outgrew them, and of no other', async () => {
  await using young = await openYoung()
  const { database } = young
  await young.fill()
  await database.query('select pg_stat_force_next_flush()')
  expect(await analyzeOutgrown(database)).toEqual(['devices'])
  await database.query('select pg_stat_force_next_flush()')
  expect(await analyzeOutgrown(database)).toEqual([])
})
