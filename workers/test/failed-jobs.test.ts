import { openQueues } from '@pushkeep/queues'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import { presentably } from '../src/failed-jobs.ts'

const token = 'ab'.repeat(32)

test('what a queue keeps of a failed job has neither a token nor the data that an error repeats', async () => {
  await using database = await createTestDatabase()
  const queues = openQueues({
    backend: { kind: 'postgres', url: database.url },
    onError: () => {},
  })
  const queue = queues.queue('test-failing')
  await queue.addAll([
    { ref: '1', ring: 0 },
    { ref: '2', ring: 0 },
  ])
  const aboutData = Object.assign(new Error(`invalid input syntax for type uuid: "${token}"`), {
    code: '22P02',
  })
  const worker = queues.worker(
    'test-failing',
    presentably(async (ref) => {
      throw ref === '1' ? new TypeError(`no device has ${token}`) : aboutData
    }),
    { concurrency: 1, onError: () => {} },
  )
  try {
    const failed = () => queue.bull.getJobs(['failed'])
    await expect.poll(async () => (await failed()).length, { timeout: 60_000 }).toBe(2)
    const kept = (await failed()).map(({ failedReason, stacktrace }) => ({
      failedReason,
      stack: stacktrace?.join('\n'),
    }))
    expect(kept.map(({ failedReason }) => failedReason).sort()).toEqual([
      '22P02: [left out]',
      'no device has [secret]',
    ])
    expect(JSON.stringify(kept)).not.toContain(token)
    for (const { stack } of kept) expect(stack).toContain('failed-jobs.test.ts')
  } finally {
    await worker.close(5000)
    await queue.close()
    await queues.close()
  }
}, 120_000)
