import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import { connect, type Database, indexedSettings } from '../src/index.ts'
import { accept, createScene, insertDevice, insertPerson } from './fixtures.ts'

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

test('a message reads the devices it is for, though no table was ever analyzed', async () => {
  await using direct = await createTestDatabase()
  const settings = indexedSettings
  const database = connect({ url: direct.url, name: 'test', connectionsMax: 1, settings })
  const scene = await createScene(database)
  await database.query('alter table devices set (autovacuum_enabled = off)')
  await database.query('alter table people set (autovacuum_enabled = off)')
  const personNo = await insertPerson(scene, 'p')
  const { token } = await insertDevice(scene, { personNo })
  await database.query(
    `insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at,
                          ordered_at)
     select $1, gen_random_uuid(), n::text, 'android', 'fcm', 0, now(), now()
     from generate_series(1, 20000) n`,
    [scene.appNo],
  )
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
  await database.end()
})
