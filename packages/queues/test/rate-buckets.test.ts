import { randomBytes } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { openRedisBuckets, type RedisBuckets } from '../src/rate-buckets.ts'

const rate = { perSecond: 0.001, burst: 10 }
const redisUrl = inject('redisUrl')

/** Settles once there is a connection: a call never waits for one. */
async function ready(buckets: RedisBuckets): Promise<void> {
  for (const until = Date.now() + 10_000; Date.now() < until; ) {
    try {
      await buckets.settle([{ key: newKey(), rate, spent: 0 }])
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  throw new Error('Redis did not answer')
}

const newKey = () => randomBytes(16).toString('hex')

test.skipIf(!redisUrl)('spending of several processes is added up by Redis', async () => {
  const processes = [1, 2, 3].map(() => openRedisBuckets(redisUrl ?? '', () => {}))
  const [one, other] = [newKey(), newKey()]
  await Promise.all(processes.map(ready))
  await Promise.all(
    processes.map((buckets) =>
      buckets.settle([
        { key: one, rate, spent: 4 },
        { key: other, rate, spent: 1 },
      ]),
    ),
  )
  const levels = await processes[0]?.settle([
    { key: other, rate, spent: 0 },
    { key: one, rate, spent: 0 },
  ])
  expect(levels?.map(Math.round)).toEqual([7, -2])
  for (const buckets of processes) buckets.close()
})

test('without Redis a round fails at once', async () => {
  const errors: Error[] = []
  const buckets = openRedisBuckets('redis://127.0.0.1:1', (error) => void errors.push(error))
  await expect(buckets.settle([{ key: newKey(), rate, spent: 1 }])).rejects.toThrow('Redis is away')
  buckets.close()
})
