import { randomUUID } from 'node:crypto'
import { type ReceiptEvent, receiptEvents } from '@pushkeep/domain'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  createApp,
  createPartitions,
  createReceiptTaker,
  deliveriesOfMessage,
  type EarlyReceiptPlace,
  type LeasedChunk,
  leaseChunks,
  type Receipt,
  recordOutcomes,
  settleEarlyReceipts,
} from '../src/index.ts'
import {
  accept,
  createScene,
  insertDevice,
  insertPerson,
  openChunks,
  report,
  type Scene,
  sent,
} from './fixtures.ts'

let db: TestDatabase
let scene: Scene
let take: ReturnType<typeof createReceiptTaker>
beforeAll(async () => {
  db = await createTestDatabase()
  await createPartitions(db.database, Date.now())
})
afterAll(() => db[Symbol.asyncDispose]())
beforeEach(async () => {
  await db.database.query(
    'truncate workspaces, people, devices, messages, chunks, deliveries, receipts, receipt_counts, early_receipts cascade',
  )
  scene = await createScene(db.database)
  take = createReceiptTaker(db.database)
})

const none = { delivered: 0, opened: 0, clicked: 0, converted: 0 }

function receipt(messageId: string, token: string, change: Partial<Receipt> = {}): Receipt {
  const { workspaceNo } = scene
  return { workspaceNo, appNo: null, messageId, token, event: 'delivered', at: null, ...change }
}

/** A message to one person with so many devices, and one of another app, all of it sent. */
async function sentMessage(
  devices = 1,
  also?: { token: string; appNo: number },
): Promise<{ id: string; tokens: string[] }> {
  const { id, tokens, chunk } = await leasedMessage(devices, also)
  await record(chunk)
  return { id, tokens }
}

/** One that is on its way: nothing of it is on record. */
async function leasedMessage(devices = 1, also?: { token: string; appNo: number }) {
  const person = `person ${randomUUID()}`
  const personNo = await insertPerson(scene, person)
  const tokens: string[] = []
  for (let count = 0; count < devices; count += 1) {
    tokens.push((await insertDevice(scene, { personNo })).token)
  }
  if (also) await insertDevice({ ...scene, appNo: also.appNo }, { personNo, token: also.token })
  const id = await accept(scene, { to: { person_id: person } })
  const chunkNo = (await openChunks(scene)).at(-1)
  const [chunk] = await leaseChunks(
    db.database,
    [{ chunkNo: String(chunkNo), lease: randomUUID() }],
    100,
  )
  if (!chunk) throw new Error('no chunk was leased')
  return { id, tokens, chunk }
}

function record(chunk: LeasedChunk, status: 'sent' | 'failed' = 'sent') {
  return recordOutcomes(
    db.database,
    chunk.recipients.map((recipient) => sent(chunk, recipient, { status })),
  )
}

async function counts(id: string) {
  return (await report(scene, id)).receipts
}

async function seen(id: string) {
  const { messageNo } = await report(scene, id)
  const query = { appNos: [scene.appNo], messageNo, status: null, after: null, limit: 100 }
  const { deliveries } = await deliveriesOfMessage(db.database, query)
  return new Map(deliveries.map((delivery) => [delivery.token, delivery.receipts]))
}

test('a message that nobody told of has counts of zero', async () => {
  const { id, tokens } = await sentMessage()
  expect(await counts(id)).toEqual(none)
  expect((await seen(id)).get(tokens[0] ?? '')).toEqual({
    delivered: null,
    opened: null,
    clicked: null,
    converted: null,
  })
})

test.each([
  ['delivered', { ...none, delivered: 1 }],
  ['opened', { ...none, delivered: 1, opened: 1 }],
  ['clicked', { ...none, delivered: 1, opened: 1, clicked: 1 }],
  ['converted', { ...none, delivered: 1, converted: 1 }],
] as const)('%s counts once with what it proves, however often it is told', async (event, sum) => {
  const { id, tokens } = await sentMessage()
  const [token = ''] = tokens
  for (let count = 0; count < 3; count += 1) {
    expect(await take(receipt(id, token, { event }))).toBe('taken')
  }
  expect(await counts(id)).toEqual(sum)
})

test('the earliest time counts, in whatever order the events come', async () => {
  const { id, tokens } = await sentMessage()
  const [token = ''] = tokens
  const { createdAt } = await report(scene, id)
  await db.database.query(`update messages set created_at = created_at - interval '1 hour'`)
  const at = (minutesAgo: number) => createdAt.getTime() - minutesAgo * 60_000
  await take(receipt(id, token, { event: 'opened', at: at(10) }))
  expect((await seen(id)).get(token)).toMatchObject({
    delivered: new Date(at(10)),
    opened: new Date(at(10)),
  })
  await take(receipt(id, token, { event: 'delivered', at: at(30) }))
  await take(receipt(id, token, { event: 'opened', at: at(5) }))
  expect((await seen(id)).get(token)).toEqual({
    delivered: new Date(at(30)),
    opened: new Date(at(10)),
    clicked: null,
    converted: null,
  })
  expect(await counts(id)).toEqual({ ...none, delivered: 1, opened: 1 })
})

test("a phone's clock counts neither before the message nor after now", async () => {
  const { id, tokens } = await sentMessage(2)
  const [slow = '', fast = ''] = tokens
  await take(receipt(id, slow, { at: 0 }))
  await take(receipt(id, fast, { at: Date.now() + 86_400_000 }))
  const { createdAt } = await report(scene, id)
  const times = await seen(id)
  expect(times.get(slow)?.delivered).toEqual(createdAt)
  expect(Number(times.get(fast)?.delivered)).toBeLessThanOrEqual(Date.now())
})

test('who was no recipient is not counted: unknown message, token, workspace or app', async () => {
  const { id, tokens } = await sentMessage()
  const [token = ''] = tokens
  const stranger = await insertDevice(scene)
  const other = await createScene(db.database)
  const second = await createApp(db.database, scene.workspaceNo, 'second')
  const wrong: Receipt[] = [
    receipt(randomUUID(), token),
    receipt(id, 'ab'.repeat(32)),
    receipt(id, stranger.token),
    receipt(id, token, { workspaceNo: other.workspaceNo }),
    receipt(id, token, { appNo: second.appNo }),
  ]
  for (const one of wrong) expect(await take(one)).toBe('unknown')
  expect(await take(receipt(id, token, { appNo: scene.appNo }))).toBe('taken')
  expect(await counts(id)).toEqual({ ...none, delivered: 1 })
  const { rows } = await db.database.query('select count(*)::int from early_receipts')
  expect(rows).toEqual([{ count: 0 }])
})

test('a token that was deleted since still tells of what came to it', async () => {
  const { id, tokens } = await sentMessage()
  const [token = ''] = tokens
  await db.database.query('update devices set deleted_at = now(), token = null')
  expect(await take(receipt(id, token, { event: 'opened' }))).toBe('taken')
  expect(await counts(id)).toMatchObject({ opened: 1 })
})

test('of a token in two apps, the one that the message went to is meant', async () => {
  const { appNo } = await createApp(db.database, scene.workspaceNo, 'second')
  const { token } = await insertDevice(scene)
  const { id } = await sentMessage(0, { token, appNo })
  expect(await take(receipt(id, token))).toBe('taken')
  expect(await counts(id)).toEqual({ ...none, delivered: 1 })
})

test('a failed delivery that the phone saw nevertheless is told of, too', async () => {
  const { id, tokens, chunk } = await leasedMessage()
  await record(chunk, 'failed')
  expect(await take(receipt(id, tokens[0] ?? ''))).toBe('taken')
  expect(await report(scene, id)).toMatchObject({
    counts: { failed: 1, pending: 0 },
    receipts: { delivered: 1 },
  })
})

test('a receipt that is faster than the outcome counts once that is on record', async () => {
  const { id, tokens, chunk } = await leasedMessage(2)
  const [token = ''] = tokens
  expect(await take(receipt(id, token))).toBe('taken')
  expect(await take(receipt(id, token, { event: 'opened' }))).toBe('taken')
  await settleEarlyReceipts(db.database, null, 100)
  expect(await counts(id)).toEqual(none)
  await record(chunk)
  await settleEarlyReceipts(db.database, null, 100)
  expect(await counts(id)).toEqual({ ...none, delivered: 1, opened: 1 })
  await take(receipt(id, token, { event: 'opened' }))
  await settleEarlyReceipts(db.database, null, 100)
  expect(await counts(id)).toEqual({ ...none, delivered: 1, opened: 1 })
  expect(await early()).toBe(0)
})

test('early receipts of devices that were no recipients go when the message ends', async () => {
  const { id, chunk } = await leasedMessage()
  const stranger = await insertDevice(scene)
  expect(await take(receipt(id, stranger.token))).toBe('taken')
  await settleEarlyReceipts(db.database, null, 100)
  expect(await early()).toBe(1)
  await record(chunk)
  await settleEarlyReceipts(db.database, null, 100)
  expect(await early()).toBe(0)
  expect(await counts(id)).toEqual(none)
})

async function early(): Promise<number> {
  const { rows } = await db.database.query<{ count: number }>(
    'select count(*)::int from early_receipts',
  )
  return rows[0]?.count ?? -1
}

test('the walk through early receipts gets past those that have to wait', async () => {
  const open = await leasedMessage(5)
  const done = await leasedMessage(5)
  for (const { id, tokens } of [open, done]) {
    for (const token of tokens) await take(receipt(id, token))
  }
  await record(done.chunk)
  let place: EarlyReceiptPlace | null = null
  for (let round = 0; round < 6; round += 1) {
    place = await settleEarlyReceipts(db.database, place, 3)
  }
  expect(await counts(done.id)).toEqual({ ...none, delivered: 5 })
  expect(await early()).toBe(5)
})

test('calls that come together from several processes count each event once', async () => {
  const { id, tokens } = await sentMessage(20)
  const takers = Array.from({ length: 4 }, () => createReceiptTaker(db.database))
  const events: ReceiptEvent[] = ['opened', 'delivered', 'converted', 'clicked']
  await Promise.all(
    takers.flatMap((taker, turn) =>
      events.flatMap((_, index) =>
        tokens.map((token) =>
          taker(receipt(id, token, { event: events[(index + turn) % 4] ?? 'opened' })),
        ),
      ),
    ),
  )
  expect(await counts(id)).toEqual({ delivered: 20, opened: 20, clicked: 20, converted: 20 })
})

test('any order of receipts, early or late, once or often, comes to the same counts', async () => {
  const step = fc.record({
    device: fc.nat(2),
    event: fc.constantFrom(...receiptEvents),
    settles: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(12), async (steps, recordedAt) => {
      const { id, tokens, chunk } = await leasedMessage(3)
      for (const [index, { device, event, settles }] of steps.entries()) {
        if (index === recordedAt) await record(chunk)
        await take(receipt(id, tokens[device] ?? '', { event }))
        if (settles) await settleEarlyReceipts(db.database, null, 100)
      }
      await record(chunk)
      await settleEarlyReceipts(db.database, null, 100)
      expect(await counts(id)).toEqual(expected(steps))
    }),
    { numRuns: 40 },
  )
})

/** What the counts have to be, by the words of the table. */
function expected(steps: readonly { device: number; event: ReceiptEvent }[]) {
  const devicesWith = (...events: ReceiptEvent[]) =>
    new Set(steps.filter(({ event }) => events.includes(event)).map(({ device }) => device)).size
  return {
    delivered: devicesWith('delivered', 'opened', 'clicked', 'converted'),
    opened: devicesWith('opened', 'clicked'),
    clicked: devicesWith('clicked'),
    converted: devicesWith('converted'),
  }
}

test('a repeat that says nothing new writes nothing', async () => {
  const { id, tokens } = await sentMessage()
  const [token = ''] = tokens
  await take(receipt(id, token, { event: 'opened' }))
  const place = async () =>
    (await db.database.query('select ctid::text, xmin::text from receipts')).rows
  const before = await place()
  await take(receipt(id, token, { event: 'opened' }))
  await take(receipt(id, token, { event: 'delivered' }))
  expect(await place()).toEqual(before)
})
