import { createTestDatabase } from '@pushkeep/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { startRelay } from '../src/relay.ts'

const soon = { timeout: 15_000, interval: 10 }

/** A relay whose queue takes what it is given only while it is up. */
async function openScene(pollMs: number) {
  const fixture = await createTestDatabase()
  const { database } = fixture
  const queue = { isUp: true, refusing: '', refused: 0, rung: [] as string[] }
  const relay = startRelay({
    databaseUrl: fixture.url,
    queue: (name) => ({
      async addAll(rings) {
        if (!queue.isUp || queue.refusing === name) {
          queue.refused += 1
          throw new Error('away')
        }
        queue.rung.push(...rings.map(({ ref }) => `${name} ${ref}`))
      },
    }),
    batchSize: 100,
    pollMs,
    trace: null,
    onError: () => {},
  })
  onTestFinished(async () => {
    await relay.stop()
    await fixture[Symbol.asyncDispose]()
  })
  const ring = (ref: number, name = 'plan') =>
    database.query('insert into outbox (queue, ref) values ($2, $1)', [ref, name])
  const waiting = async () => (await database.query('select from outbox')).rowCount
  return { queue, ring, waiting }
}

test('a doorbell that the queue does not take stays, and is rung when the queue is back', async () => {
  const { queue, ring, waiting } = await openScene(20)
  queue.isUp = false
  await ring(7)
  await expect.poll(() => queue.refused, soon).toBeGreaterThan(0)
  expect(await waiting()).toBe(1)
  queue.isUp = true
  await expect.poll(() => queue.rung, soon).toEqual(['plan 7'])
  expect(await waiting()).toBe(0)
})

test('a queue that takes nothing holds back no other', async () => {
  const { queue, ring, waiting } = await openScene(20)
  queue.refusing = 'apns-bulk'
  for (const ref of [1, 2, 3]) {
    await ring(ref, 'apns-bulk')
    await ring(10 + ref, 'apns-transactional')
    const rung = [10 + ref].map((one) => `apns-transactional ${one}`)
    await expect.poll(() => queue.rung, soon).toEqual(expect.arrayContaining(rung))
  }
  expect(await waiting()).toBe(3)
  queue.refusing = ''
  await expect.poll(waiting, soon).toBe(0)
  expect(queue.rung.filter((one) => one.startsWith('apns-bulk'))).toHaveLength(3)
})

test('a doorbell of which nobody was notified is found by looking', async () => {
  const { queue, ring } = await openScene(20)
  await ring(8)
  await expect.poll(() => queue.rung, soon).toEqual(['plan 8'])
})
