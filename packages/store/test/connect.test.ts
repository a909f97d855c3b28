import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import { connect, inTransaction, isDatabaseUnavailable } from '../src/index.ts'

test('a connection that breaks within a transaction fails it, and not the process', async () => {
  await using direct = await createTestDatabase()
  const errors: Error[] = []
  const database = connect({
    url: direct.url,
    name: 'test',
    connectionsMax: 1,
    onError: (error) => errors.push(error),
  })
  const broken = inTransaction(database, async (sql) => {
    const { rows } = await sql.query<{ pid: number }>('select pg_backend_pid() as pid')
    await direct.database.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    // Between two statements nobody waits for an answer: the news comes as an event.
    await expect
      .poll(async () => {
        const alive = 'select count(*)::int as n from pg_stat_activity where pid = $1'
        return (await direct.database.query<{ n: number }>(alive, [rows[0]?.pid])).rows[0]?.n
      })
      .toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await sql.query('select 1')
  })
  expect(isDatabaseUnavailable(await broken.catch((error: unknown) => error))).toBe(true)
  const { rows } = await database.query<{ two: number }>('select 1 + 1 as two')
  expect(rows).toEqual([{ two: 2 }])
  await database.end()
})
