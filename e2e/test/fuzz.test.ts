import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import { runFuzz } from '../fuzz/run.ts'
import { openTarget } from '../fuzz/target.ts'

const seed = 'pushkeep'

test('2,000 requests, nearly all bad: none fails a service, stores or tells what it should not', async () => {
  await using database = await createTestDatabase()
  await using target = await openTarget({ seed, databaseUrl: database.url })
  const { failures, faults, rows, requests } = await runFuzz({
    target,
    seed,
    count: 2000,
    slow: false,
  })
  expect(failures).toEqual([])
  expect(faults).toEqual([])
  expect(requests).toBe(2000)
  // Refusals prove nothing of an operation that refuses everything.
  const refusing = rows.filter(({ valid, taken }) => valid > 0 && taken === 0)
  expect(refusing.map(({ operation }) => operation)).toEqual([])
}, 90_000)
