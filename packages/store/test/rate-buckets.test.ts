import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import { removeFullBuckets, settleBuckets } from '../src/index.ts'

const rate = { perSecond: 0.001, burst: 10 }
const [one, other] = ['a'.repeat(32), 'b'.repeat(32)]

test('spending of several processes is added up, each bucket for itself', async () => {
  await using test = await createTestDatabase()
  const { database } = test
  const first = await settleBuckets(database, [
    { key: one, rate, spent: 4 },
    { key: other, rate, spent: 1 },
  ])
  expect(first.map(Math.round)).toEqual([6, 9])
  const second = await settleBuckets(database, [
    { key: other, rate, spent: 2 },
    { key: one, rate, spent: 9 },
  ])
  expect(second.map(Math.round)).toEqual([7, -3])
})

test('processes that settle at once lose nothing', async () => {
  await using test = await createTestDatabase()
  const { database } = test
  const keys = [one, other, 'c'.repeat(32)]
  const spend = (key: string) => ({ key, rate: { perSecond: 0.001, burst: 1000 }, spent: 1 })
  await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      settleBuckets(database, n % 2 === 0 ? keys.map(spend) : keys.toReversed().map(spend)),
    ),
  )
  const levels = await settleBuckets(
    database,
    keys.map((key) => ({ ...spend(key), spent: 0 })),
  )
  expect(levels.map(Math.round)).toEqual([940, 940, 940])
})

test('a bucket fills by the time that passed, never over its burst, and goes when it is full', async () => {
  await using test = await createTestDatabase()
  const { database } = test
  const fast = { perSecond: 1, burst: 10 }
  await settleBuckets(database, [
    { key: one, rate: fast, spent: 8 },
    { key: other, rate, spent: 8 },
  ])
  await database.query(`update rate_buckets set at = at - interval '5 seconds'`)
  const [level] = await settleBuckets(database, [{ key: one, rate: fast, spent: 0 }])
  expect(Math.round(level ?? 0)).toBe(7)
  await database.query(`update rate_buckets set at = at - interval '60 seconds'`)
  expect(await removeFullBuckets(database)).toBe(1)
  const [full] = await settleBuckets(database, [{ key: one, rate: fast, spent: 0 }])
  expect(full).toBe(10)
})
