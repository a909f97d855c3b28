import { afterAll, beforeAll, expect, test } from 'vitest'
import { bodyHash } from '../src/idempotency.ts'
import { addDevice, apnsToken, post, type Sender, startTestSender, storedRows } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
})
afterAll(() => sender[Symbol.asyncDispose]())

const message = { to: { person_id: 'anna' }, content: { title: 'Hello', data: { a: 1, b: [2] } } }

function send(key: string, body: unknown = message, authorization?: string) {
  const headers = {
    'idempotency-key': key.replaceAll(' ', '-'),
    ...(authorization ? { authorization } : {}),
  }
  return post(sender, body, headers)
}

test('the same request again gets the same id and sends nothing', async () => {
  const first = await send('same')
  const before = await storedRows(sender)
  const again = await send('same')
  expect(again.statusCode).toBe(202)
  expect(again.json()).toEqual(first.json())
  expect(again.headers).toMatchObject({
    location: first.headers.location,
    'idempotent-replayed': 'true',
  })
  expect(first.headers['idempotent-replayed']).toBeUndefined()
  expect(await storedRows(sender)).toEqual(before)
})

test.each([
  [
    'another order of keys',
    '{"content":{"data":{"b":[2],"a":1},"title":"Hello"},"to":{"person_id":"anna"}}',
  ],
  ['whitespace', JSON.stringify(message, null, 2)],
  ['another spelling', JSON.stringify(message).replace('Hello', '\\u0048ello').replace('1', '1.0')],
  ['a default written out', { ...message, ttl_seconds: 259_200, priority: 'high' }],
])('%s is the same body', async (name, body) => {
  const first = await send(name)
  expect(first.statusCode).toBe(202)
  const again = await send(name, body)
  expect(again.statusCode).toBe(202)
  expect(again.json()).toEqual(first.json())
})

test.each([
  ['another person', { ...message, to: { person_id: 'bert' } }],
  ['another title', { ...message, content: { title: 'Bye' } }],
  ['another order of a list', { ...message, content: { title: 'Hello', data: { a: [2], b: 1 } } }],
  ['another priority', { ...message, priority: 'normal' }],
])('409 for %s under the same key', async (name, body) => {
  const first = await send(name)
  const before = await storedRows(sender)
  const other = await send(name, body)
  expect(other.statusCode).toBe(409)
  expect(other.json()).toMatchObject({ code: 'idempotency_conflict' })
  expect(await storedRows(sender)).toEqual(before)
  expect((await send(name)).json()).toEqual(first.json())
})

test('a refused request does not use its key up', async () => {
  expect((await send('refused', { ...message, priority: 'x' })).statusCode).toBe(422)
  expect((await send('refused')).headers['idempotent-replayed']).toBeUndefined()
})

test('100 posts at once under one key are one message', async () => {
  await addDevice(sender, { app: sender.tenant.apps[0], personId: 'anna', token: apnsToken(1) })
  const before = await storedRows(sender)
  const responses = await Promise.all(Array.from({ length: 100 }, () => send('storm')))
  expect(responses.map(({ statusCode }) => statusCode)).toEqual(Array(100).fill(202))
  expect(new Set(responses.map((response) => response.json().id)).size).toBe(1)
  const replayed = responses.filter(({ headers }) => headers['idempotent-replayed'] === 'true')
  expect(replayed).toHaveLength(99)
  expect(await storedRows(sender)).toEqual({
    messages: (before.messages ?? 0) + 1,
    counts: (before.counts ?? 0) + 1,
    keys: (before.keys ?? 0) + 1,
    chunks: (before.chunks ?? 0) + 1,
    outbox: (before.outbox ?? 0) + 1,
  })
})

test('of two bodies at once under one key, one is accepted', async () => {
  const other = { ...message, priority: 'normal' }
  const responses = await Promise.all(
    Array.from({ length: 40 }, (_, number) => send('race', number % 2 ? message : other)),
  )
  const codes = responses.map(({ statusCode }) => statusCode)
  expect(codes.filter((code) => code === 202)).toHaveLength(20)
  expect(codes.filter((code) => code === 409)).toHaveLength(20)
})

test('workspaces do not share keys', async () => {
  const mine = await send('shared')
  const theirs = await send('shared', { to: { all: true }, content: {} }, bearer('other'))
  expect(theirs.statusCode).toBe(202)
  expect(theirs.headers['idempotent-replayed']).toBeUndefined()
  expect(theirs.json().id).not.toBe(mine.json().id)
})

test('the same body for another app is another request', async () => {
  expect((await send('app')).statusCode).toBe(202)
  const forOneApp = await send('app', message, `Bearer ${sender.tenant.appSecret}`)
  expect(forOneApp.statusCode).toBe(409)
})

test('without a key, each request is a message', async () => {
  const [first, second] = [await post(sender, message), await post(sender, message)]
  expect(first.json().id).not.toBe(second.json().id)
})

test('a hash tells apart what JSON tells apart', () => {
  const bodies = [{}, { a: 1 }, { a: '1' }, { a: null }, { a: [] }, { a: {} }, { b: 1 }, { a: [1] }]
  expect(new Set(bodies.map((body) => bodyHash(body).toString('hex'))).size).toBe(bodies.length)
  expect(bodyHash({ 2: 'x', 10: 'y', a: { c: 1, b: 2 } })).toEqual(
    bodyHash({ a: { b: 2, c: 1 }, 10: 'y', 2: 'x' }),
  )
})

function bearer(tenant: 'tenant' | 'other'): string {
  return `Bearer ${sender[tenant].secret}`
}
