import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OnUnknown } from '@pushkeep/domain'
import { type LeasedChunk, leaseChunks } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openJournal } from '../src/delivery/journal.ts'
import { recording } from './recordings.ts'
import { openWorkplace, type Phone, type Workplace } from './workplace.ts'

// What a worker left that was killed: its leases, its journal, and doorbells that nobody hears. Other
// workers are started when all of it lies there.
let work: Workplace
let directory = ''
const remains = new Map<string, { id: string; phone: Phone }>()

beforeAll(async () => {
  work = await openWorkplace()
  directory = await mkdtemp(join(tmpdir(), 'pushkeep-remains-'))
  const phones = await work.addPhones(await work.addApp('shop'), 4)
  const [repeated, givenUp, known, unheard] = phones
  if (!repeated || !givenUp || !known || !unheard) throw new Error('there are no phones')
  await leave('in doubt', repeated, { ranOut: true })
  await leave('in doubt, to be given up', givenUp, { ranOut: true, onUnknown: 'give_up' })
  // Held for as long as a lease lasts: the journal has to be read before it ends.
  keepInJournal(await leave('known', known, { ranOut: false }))
  await leave('never leased', unheard, null)
  await work.database.query('delete from outbox')
  work.start({ journalDirectory: directory })
})
afterAll(async () => {
  await work[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

async function leave(
  name: string,
  phone: Phone,
  lease: { ranOut: boolean; onUnknown?: OnUnknown } | null,
): Promise<LeasedChunk | undefined> {
  const message = { to: { person_id: phone.person }, on_unknown: lease?.onUnknown ?? 'retry' }
  const id = await work.accept(message)
  remains.set(name, { id, phone })
  const { rows } = await work.database.query<{ chunk_no: string }>(
    `update chunks set rescue_at = now() - interval '1 second'
     where message_no = $1 returning chunk_no::text`,
    [(await work.report(id)).messageNo],
  )
  const chunkNo = rows[0]?.chunk_no ?? ''
  if (lease === null) return undefined
  const [chunk] = await leaseChunks(work.database, [{ chunkNo, lease: randomUUID() }], 100)
  if (lease.ranOut) {
    await work.database.query(
      `update chunks set rescue_at = now() - interval '1 second' where chunk_no = $1`,
      [chunkNo],
    )
  }
  return chunk
}

function keepInJournal(chunk: LeasedChunk | undefined) {
  const [recipient] = chunk?.recipients ?? []
  if (!chunk || !recipient) throw new Error('nothing was leased')
  const longAgo = () => Date.now() - 60_000
  const journal = openJournal(directory, longAgo, (error) => {
    throw error
  })
  const { chunkNo, messageNo, appNo } = chunk
  const { deviceNo, personNo, epoch } = recipient
  const at = Date.now()
  journal.append([recording(deviceNo, { chunkNo, messageNo, appNo, personNo, epoch, at })])
  journal.touch()
  journal.close()
}

async function outcomeOf(name: string) {
  const found = remains.get(name)
  if (!found) throw new Error('nothing of that name was left')
  const { sent, failed, pending } = await work.done(found.id)
  const [delivery] = await work.deliveries(found.id)
  const { requests } = await work.received([found.phone])
  return { sent, failed, pending, reason: delivery?.reason, requests }
}

const nothing = { sent: 0, failed: 0, pending: 0, reason: null, requests: 0 }

test('what it knew is recorded from its journal, and not sent again', async () => {
  expect(await outcomeOf('known')).toEqual({ ...nothing, sent: 1 })
})

test('what is in doubt is sent again', async () => {
  expect(await outcomeOf('in doubt')).toEqual({ ...nothing, sent: 1, requests: 1 })
})

test('what is in doubt is not sent again where the message says so', async () => {
  const outcome = await outcomeOf('in doubt, to be given up')
  expect(outcome).toEqual({ ...nothing, failed: 1, reason: 'unknown' })
})

test('a chunk whose job is lost is rung again', async () => {
  expect(await outcomeOf('never leased')).toEqual({ ...nothing, sent: 1, requests: 1 })
})
