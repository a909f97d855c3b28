import { setTimeout as sleep } from 'node:timers/promises'
import { createMetrics } from '@pushkeep/runtime'
import { inTransaction } from '@pushkeep/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openWorkplace, type Phone, soon, type Workplace } from './workplace.ts'

// Chunks of three windows, and answers that come a second later: there is time for something to happen
// while the first window is under way.
let work: Workplace
let phones: Phone[] = []
beforeEach(async () => {
  work = await openWorkplace()
  phones = await work.addPhones(await work.addApp('shop'), 300)
  await work.fault({ apns: { delay_ms: 1000 } })
})

afterEach(() => work[Symbol.asyncDispose]())

interface ChunkRow {
  state: string
  claimed: number
  settled: number
  leases: number
  seconds: number
}

async function chunkOf(id: string): Promise<ChunkRow | undefined> {
  const { rows } = await work.database.query<ChunkRow>(
    `select state, claimed, settled, leases,
            extract(epoch from rescue_at - now())::float8 as seconds
     from chunks where message_no = $1 order by chunk_no limit 1`,
    [(await work.report(id)).messageNo],
  )
  return rows[0]
}

/** A message to all phones, of which the first window is under way. */
async function begun(): Promise<string> {
  const id = await work.accept({ to: { person_ids: phones.map(({ person }) => person) } }, 'bulk')
  await expect.poll(async () => (await chunkOf(id))?.claimed, soon).toBe(100)
  return id
}

async function change(id: string, set: string) {
  await work.database.query(`update chunks set ${set} where message_no = $1`, [
    (await work.report(id)).messageNo,
  ])
}

test('whoever has lost the lease records what was under way, and sends nothing more', async () => {
  const metrics = createMetrics({ name: 'workers', version: '1' })
  work.start({ metrics })
  const id = await begun()
  await change(id, "lease = gen_random_uuid(), rescue_at = now() + interval '1 hour'")
  await expect
    .poll(() => metrics.text(), soon)
    .toMatch(/^pushkeep_chunks_total.*ended="lost".* 1$/m)
  const { requests, accepted } = await work.received()
  expect(requests).toBeLessThanOrEqual(100)
  await work.stopAll()
  expect(await work.received()).toEqual({ requests, accepted })
  expect((await work.report(id)).counts).toMatchObject({ sent: accepted, pending: 300 - accepted })
})

test('a process that is to end finishes and records the window under way, and hands the rest back at once', async () => {
  const workers = work.start()
  const id = await begun()
  let hasStopped = false
  const { stopped } = await inTransaction(work.database, async (sql) => {
    // Nothing can be written down for a while, also when all answers are there.
    await sql.query('select from message_counts for update')
    const stopped = workers.stop().then(() => {
      hasStopped = true
    })
    await sleep(3000)
    expect(hasStopped).toBe(false)
    return { stopped }
  })
  await stopped
  // Those of the window that found no stream in time are pending, as on any day.
  const { requests: sent } = await work.received()
  expect(sent).toBeLessThanOrEqual(100)
  expect(await chunkOf(id)).toMatchObject({ state: 'ready', claimed: 100, settled: sent })
  expect((await work.report(id)).counts).toMatchObject({ sent, pending: 300 - sent })
  await work.fault({ apns: { delay_ms: 0 } })
  work.start()
  expect(await work.done(id)).toMatchObject({ sent: 300, pending: 0 })
  expect(await chunkOf(id)).toMatchObject({ leases: 2 })
  expect(await work.received()).toEqual({ requests: 300, accepted: 300 })
})

test('a lease is renewed for as long as its pushes are under way', async () => {
  await work.fault({ apns: { delay_ms: 5000 } })
  work.start()
  const id = await begun()
  await change(id, "rescue_at = now() + interval '3 seconds'")
  await expect.poll(async () => (await chunkOf(id))?.seconds, soon).toBeGreaterThan(4)
  expect(await chunkOf(id)).toMatchObject({ claimed: 100, leases: 1 })
})
