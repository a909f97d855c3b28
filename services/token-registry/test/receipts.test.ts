import { randomUUID } from 'node:crypto'
import { deliveryIdOf, NewMessage } from '@pushkeep/domain'
import { acceptMessage } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
beforeAll(async () => {
  registry = await createRegistry()
})
afterAll(() => registry[Symbol.asyncDispose]())

/** A message to a device, recorded as sent. */
async function sentMessage(): Promise<{ id: string; token: string }> {
  const { call, database, workspaceNo } = registry
  const token = randomToken()
  await call('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: 'ana' })
  const message = NewMessage.parse({ to: { token }, content: { title: 'x' } })
  const accepted = await acceptMessage(database, {
    workspaceNo,
    appNo: null,
    message,
    lane: 'transactional',
    planNow: true,
    idempotency: null,
  })
  if (accepted.kind !== 'accepted') throw new Error(accepted.kind)
  await database.query(
    `insert into deliveries (message_no, device_no, at, status, attempts)
     select message_no, unnest(device_nos), now(), 1, 1
     from chunks join messages using (message_no) where id = $1`,
    [accepted.id],
  )
  await database.query(
    `update message_counts c set sent = recipients from messages m
     where m.message_no = c.message_no and m.id = $1`,
    [accepted.id],
  )
  return { id: accepted.id, token }
}

async function post(receipts: unknown, key = registry.secretKey) {
  return registry.call('POST', '/v1/receipts', { receipts }, { key })
}

async function counts(id: string) {
  const { rows } = await registry.database.query(
    `select delivered::int, opened::int, clicked::int, converted::int
     from receipt_counts join messages using (message_no) where id = $1`,
    [id],
  )
  return rows[0]
}

test('a receipt counts; the message may be named as the push carries it', async () => {
  const { id, token } = await sentMessage()
  const first = await post([
    { message_id: id, token, event: 'delivered', timestamp: 1_763_900_000 },
  ])
  expect(first).toMatchObject({ status: 200, body: { results: [{ status: 'taken' }] } })
  const again = await post([{ message_id: deliveryIdOf(id), token, event: 'opened' }])
  expect(again.body).toEqual({ results: [{ status: 'taken' }] })
  expect(await counts(id)).toEqual({ delivered: 1, opened: 1, clicked: 0, converted: 0 })
})

test('each receipt of a call has its own verdict, in order; a bad one costs no other', async () => {
  const { id, token } = await sentMessage()
  const receipt = { message_id: id, token, event: 'clicked' }
  const { status, body } = await post([
    { ...receipt, event: 'bounced' },
    receipt,
    'nonsense',
    { ...receipt, message_id: randomUUID() },
    { ...receipt, token: randomToken() },
    { message_id: id, token },
  ])
  expect(status).toBe(200)
  expect(body.results).toEqual([
    { status: 'refused', errors: [{ path: 'receipts.0.event', message: expect.any(String) }] },
    { status: 'taken' },
    { status: 'refused', errors: [{ path: 'receipts.2', message: 'must be an object' }] },
    { status: 'unknown' },
    { status: 'unknown' },
    {
      status: 'refused',
      errors: [{ path: 'receipts.5.event', message: expect.stringContaining('clicked') }],
    },
  ])
  expect(await counts(id)).toEqual({ delivered: 1, opened: 1, clicked: 1, converted: 0 })
})

test('a public key reports, and learns nothing of what is there', async () => {
  const { id, token } = await sentMessage()
  const receipt = { message_id: id, token, event: 'opened' }
  const key = registry.publicKey
  const known = await post([receipt], key)
  const unknown = await post([{ ...receipt, message_id: randomUUID() }], key)
  expect(known.body).toEqual({ results: [{ status: 'taken' }] })
  expect([unknown.status, unknown.body]).toEqual([known.status, known.body])
  expect(await counts(id)).toMatchObject({ opened: 1 })
})

test('another workspace reports nothing of ours', async () => {
  const { id, token } = await sentMessage()
  const other = await registry.createWorkspaceWithApp()
  const answer = await post([{ message_id: id, token, event: 'opened' }], other.secretKey)
  expect(answer.body).toEqual({ results: [{ status: 'unknown' }] })
  expect(await counts(id)).toBeUndefined()
})

test.each([
  [{}, 'receipts'],
  [{ receipts: [] }, 'receipts'],
  [{ receipts: {} }, 'receipts'],
  [{ receipts: Array.from({ length: 101 }, () => ({})) }, 'receipts'],
  [{ receipts: [{}], extra: 1 }, 'extra'],
])('422 for a list that is none, empty or too long: case %#', async (body, path) => {
  const answer = await registry.call('POST', '/v1/receipts', body)
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } })
})

test('a hundred receipts go in one call', async () => {
  const { id, token } = await sentMessage()
  const answer = await post(
    Array.from({ length: 100 }, () => ({ message_id: id, token, event: 'opened' })),
  )
  expect(answer.body.results).toHaveLength(100)
  expect(await counts(id)).toMatchObject({ delivered: 1, opened: 1 })
})
