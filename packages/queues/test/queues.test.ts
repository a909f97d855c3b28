import { createTestDatabase } from '@pushkeep/testkit'
import { afterEach, expect, inject, test } from 'vitest'
import { openQueues, type QueueBackend, type Queues } from '../src/index.ts'

const opened: Queues[] = []
afterEach(async () => {
  for (const queues of opened.splice(0)) await queues.close()
})

async function backends(): Promise<{ name: string; backend: QueueBackend; end: () => unknown }[]> {
  const database = await createTestDatabase()
  const redisUrl = inject('redisUrl')
  return [
    {
      name: 'PostgreSQL',
      backend: { kind: 'postgres', url: database.url },
      end: () => database[Symbol.asyncDispose](),
    },
    ...(redisUrl
      ? [{ name: 'Redis', backend: { kind: 'redis' as const, url: redisUrl }, end: () => {} }]
      : []),
  ]
}

test('a ring reaches a worker once on each backend, and the same ring twice is one job', async () => {
  for (const { name, backend, end } of await backends()) {
    const errors: Error[] = []
    const queues = openQueues({ backend, onError: (error) => errors.push(error) })
    opened.push(queues)
    const queue = queues.queue(`test-${process.pid}`)
    await queue.addAll([
      { ref: '11', ring: 0 },
      { ref: '11', ring: 0 },
      { ref: '12', ring: 0 },
    ])
    const seen: string[] = []
    const worker = queues.worker(
      `test-${process.pid}`,
      async (ref) => {
        seen.push(ref)
      },
      { concurrency: 2, onError: (error) => errors.push(error) },
    )
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2)
    // The job is gone once it is done: the same ring can be rung again.
    await expect
      .poll(async () => {
        await queue.addAll([{ ref: '11', ring: 0 }])
        return seen.length
      })
      .toBeGreaterThanOrEqual(3)
    await worker.close(5000)
    await queue.close()
    expect(seen.slice(0, 2).sort(), name).toEqual(['11', '12'])
    expect(errors, name).toEqual([])
    await queues.close()
    await end()
  }
})

test('adding fails within seconds where Redis is away', async () => {
  const queues = openQueues({
    backend: { kind: 'redis', url: 'redis://127.0.0.1:1' },
    onError: () => {},
  })
  opened.push(queues)
  const queue = queues.queue('test-away')
  const began = performance.now()
  await expect(queue.addAll([{ ref: '1', ring: 0 }])).rejects.toThrow()
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('a queue tells its oldest waiting job, and in BullMQ’s own metrics how many were done', async () => {
  for (const { name, backend, end } of await backends()) {
    const queues = openQueues({ backend, onError: () => {} })
    opened.push(queues)
    const queue = queues.queue(`state-${process.pid}`)
    expect((await queue.state()).oldestAt, name).toBeNull()
    const before = Date.now()
    await queue.addAll([{ ref: '1', ring: 0 }])
    const between = Date.now()
    await expect.poll(() => Date.now()).toBeGreaterThan(between)
    await queue.addAll([{ ref: '2', ring: 0 }])
    const state = await queue.state()
    expect(state.oldestAt, name).toBeGreaterThanOrEqual(before)
    expect(state.oldestAt, name).toBeLessThanOrEqual(between)
    expect(state.metrics, name).toMatch(
      /^bullmq_job_count\{queue="state-\d+", state="waiting"\} 2$/m,
    )

    const worker = queues.worker(queue.name, async () => {}, { concurrency: 1, onError: () => {} })
    await expect
      .poll(async () => (await queue.state()).metrics, { timeout: 10_000 })
      .toMatch(/^bullmq_job_completed_total\{.*\} 2$/m)
    await worker.close(5000)
    await queue.close()
    await queues.close()
    await end()
  }
})
