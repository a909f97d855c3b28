import { randomUUID } from 'node:crypto'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  cancelMessage,
  claimWindow,
  closeChunk,
  createWorkspace,
  type LeasedChunk,
  leaseChunks,
  pauseProvider,
  planSlice,
  recordOutcomes,
  rescue,
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
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

/** A message to one person with so many devices. */
async function messageTo(devices: number): Promise<{ scene: Scene; id: string }> {
  await db.database.query('truncate chunks, outbox')
  const scene = await createScene(db.database)
  const personNo = await insertPerson(scene, 'ana')
  for (let n = 0; n < devices; n += 1) await insertDevice(scene, { personNo })
  return { scene, id: await accept(scene, { to: { person_id: 'ana' } }) }
}

const cancel = (scene: Scene, id: string) =>
  cancelMessage(scene.database, { workspaceNo: scene.workspaceNo, appNo: null, id })

async function lease(scene: Scene, window: number): Promise<{ chunk: LeasedChunk; token: string }> {
  const [chunkNo = ''] = await openChunks(scene)
  const token = randomUUID()
  const [chunk] = await leaseChunks(scene.database, [{ chunkNo, lease: token }], window)
  if (!chunk) throw new Error('not leased')
  return { chunk, token }
}

test('who has not been sent to is withheld from the next window on; what was sent stays sent', async () => {
  const { scene, id } = await messageTo(3)
  const { chunk, token } = await lease(scene, 2)
  expect(await cancel(scene, id)).toBe(true)
  await recordOutcomes(
    scene.database,
    chunk.recipients.map((recipient) => sent(chunk, recipient)),
  )
  const rest = (await claimWindow(scene.database, chunk, token, 100)) ?? []
  expect(rest.map((recipient) => recipient.withheld)).toEqual(['cancelled'])
  await recordOutcomes(
    scene.database,
    rest.map((recipient) => sent(chunk, recipient, { status: 'suppressed', reason: 'cancelled' })),
  )
  expect(await report(scene, id)).toMatchObject({
    counts: { sent: 2, suppressed: 1, pending: 0 },
    cancelledAt: expect.any(Date),
    isOpen: false,
  })
})

test('a message of which everything is settled cannot be cancelled any more, but again it can', async () => {
  for (const isCancelled of [false, true]) {
    const { scene, id } = await messageTo(1)
    if (isCancelled) await cancel(scene, id)
    const { chunk } = await lease(scene, 100)
    await recordOutcomes(
      scene.database,
      chunk.recipients.map((recipient) => sent(chunk, recipient)),
    )
    expect(await cancel(scene, id)).toBe(isCancelled)
  }
})

test('deliveries that would be tried again later are looked at at once', async () => {
  const { scene, id } = await messageTo(1)
  const first = await lease(scene, 100)
  const [recipient] = first.chunk.recipients
  if (!recipient) throw new Error('no recipient')
  const later = Date.now() + 600_000
  await recordOutcomes(scene.database, [
    sent(first.chunk, recipient, { status: 'pending', at: later }),
  ])
  await closeChunk(scene.database, first.chunk.chunkNo, first.token)
  expect(await rescue(scene.database, 10)).toMatchObject({ unheard: 0 })
  expect(await cancel(scene, id)).toBe(true)
  expect(await rescue(scene.database, 10)).toMatchObject({ unheard: 1 })
  const again = await lease(scene, 100)
  expect(again.chunk.recipients).toMatchObject([{ withheld: 'cancelled', attempts: 1 }])
})

test('a paused lane does not keep a cancelled message open', async () => {
  const { scene, id } = await messageTo(1)
  await pauseProvider(scene.database, scene.appNo, 'apns', 'InvalidProviderToken')
  await expect(lease(scene, 100)).rejects.toThrow('not leased')
  await cancel(scene, id)
  expect(await rescue(scene.database, 10)).toMatchObject({ unheard: 1 })
  expect((await lease(scene, 100)).chunk.recipients).toMatchObject([{ withheld: 'cancelled' }])
})

test('nothing more is planned, and what was not planned needs no work', async () => {
  const { scene } = await messageTo(1)
  await db.database.query('truncate chunks, outbox')
  const id = await accept(scene, { to: { all: true } }, { lane: 'bulk' })
  expect(await cancel(scene, id)).toBe(true)
  const { messageNo } = await report(scene, id)
  expect(await planSlice(scene.database, messageNo)).toBe(false)
  expect(await report(scene, id)).toMatchObject({ counts: { recipients: 0 }, isOpen: false })
})

test('cancelling again keeps the time of the first; another workspace cancels nothing', async () => {
  const { scene, id } = await messageTo(1)
  const { workspaceNo } = await createWorkspace(scene.database, 'other')
  expect(await cancelMessage(scene.database, { workspaceNo, appNo: null, id })).toBe(false)
  const appNo = scene.appNo
  expect(await cancelMessage(scene.database, { workspaceNo: scene.workspaceNo, appNo, id })).toBe(
    false,
  )
  await cancel(scene, id)
  const { cancelledAt } = await report(scene, id)
  expect(await cancel(scene, id)).toBe(true)
  expect((await report(scene, id)).cancelledAt).toEqual(cancelledAt)
})
