import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { get, post, type Sender, startTestSender, storedRows } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
})
afterAll(() => sender[Symbol.asyncDispose]())

const dayMs = 86_400_000
const message = { to: { person_id: 'anna' }, content: { title: 'Hello' } }
const seconds = (ms: number) => Math.floor(ms / 1000)

async function read(id: string) {
  return (await get(sender, `/v1/messages/${id}`)).json()
}

function release(id: string, key = sender.tenant.secret) {
  const headers = { authorization: `Bearer ${key}` }
  return sender.app.inject({ method: 'POST', url: `/v1/messages/${id}/release`, headers })
}

test('a message is scheduled in unix seconds or ISO 8601, and says so', async () => {
  const at = Date.now() + dayMs
  for (const send_at of [seconds(at), new Date(at).toISOString()]) {
    const response = await post(sender, { ...message, send_at, ttl_seconds: 60 })
    expect(response.statusCode).toBe(202)
    const body = await read(response.json().id)
    expect(body).toMatchObject({ state: 'scheduled', balanced: true, counts: { recipients: 0 } })
    expect(seconds(Date.parse(body.send_at))).toBe(seconds(at))
    expect(Date.parse(body.expires_at) - Date.parse(body.send_at)).toBe(60_000)
  }
})

test('a time that has passed is now', async () => {
  const send_at = seconds(Date.now() - dayMs)
  const { id } = (await post(sender, { ...message, send_at })).json()
  expect(await read(id)).toMatchObject({ state: 'done', send_at: null })
})

test('90 days ahead, and not more', async () => {
  const at = (ms: number) => post(sender, { ...message, send_at: seconds(Date.now() + ms) })
  expect((await at(90 * dayMs)).statusCode).toBe(202)
  const before = await storedRows(sender)
  const response = await at(90 * dayMs + 10_000)
  expect(response.statusCode).toBe(422)
  expect(response.json().errors).toEqual([
    { path: 'send_at', message: 'must be at most 90 days ahead' },
  ])
  expect(await storedRows(sender)).toEqual(before)
})

test('an idempotency key gives the same scheduled message, and another time is another body', async () => {
  const headers = { 'idempotency-key': createHash('sha256').digest('hex') }
  const send_at = seconds(Date.now() + dayMs)
  const first = await post(sender, { ...message, send_at }, headers)
  const again = await post(sender, { ...message, send_at }, headers)
  expect(again.json()).toEqual(first.json())
  expect(again.headers['idempotent-replayed']).toBe('true')
  const other = await post(sender, { ...message, send_at: send_at + 1 }, headers)
  expect(other.statusCode).toBe(409)
})

test('released, a message is due now; again is harmless', async () => {
  const { id } = (await post(sender, { ...message, send_at: seconds(Date.now() + dayMs) })).json()
  const released = await release(id)
  expect(released.statusCode).toBe(200)
  expect(Date.parse(released.json().send_at)).toBeLessThanOrEqual(Date.now() + 1000)
  expect((await release(id)).statusCode).toBe(200)
  const { rows } = await sender.database.query(
    `select due_at <= now() as due from outbox join messages on ref = message_no where id = $1`,
    [id],
  )
  expect(rows).toEqual([{ due: true }])
})

test('409 for one that is cancelled', async () => {
  const { id } = (await post(sender, { ...message, send_at: seconds(Date.now() + dayMs) })).json()
  const headers = { authorization: `Bearer ${sender.tenant.secret}` }
  const cancel = { method: 'POST', url: `/v1/messages/${id}/cancel`, headers } as const
  expect((await sender.app.inject(cancel)).json()).toMatchObject({ state: 'done' })
  expect((await release(id)).json()).toMatchObject({ status: 409, code: 'message_cancelled' })
})

test('409 for one that was never scheduled, 404 for one that is not there or not ours', async () => {
  const atOnce = (await post(sender, message)).json().id
  const conflict = await release(atOnce)
  expect(conflict.statusCode).toBe(409)
  expect(conflict.json()).toMatchObject({ code: 'not_scheduled' })
  const later = { ...message, send_at: seconds(Date.now() + dayMs) }
  const { id } = (await post(sender, later)).json()
  expect((await release(id, sender.other.secret)).statusCode).toBe(404)
  expect((await release('01890000-0000-7000-8000-000000000000')).statusCode).toBe(404)
  expect(await read(id)).toMatchObject({ state: 'scheduled' })
})

test('a workspace schedules so many messages, and no more until one is sent or cancelled', async () => {
  await using capped = await startTestSender({ caps: { scheduledMessages: 3 } })
  const schedule = (headers = {}, key = capped.tenant.secret) => {
    const send_at = seconds(Date.now() + dayMs)
    return post(capped, { ...message, send_at }, { ...headers, authorization: `Bearer ${key}` })
  }
  const first = await schedule({ 'idempotency-key': 'first' })
  const all = [first, await schedule(), await schedule()]
  for (const response of all) expect(response.statusCode).toBe(202)
  const before = await storedRows(capped)
  const refused = await schedule()
  expect(refused.statusCode).toBe(422)
  expect(refused.json()).toMatchObject({
    code: 'too_many_scheduled',
    errors: [{ path: 'send_at', message: expect.stringContaining('3 messages wait') }],
  })
  expect(await storedRows(capped)).toEqual(before)
  expect((await post(capped, message)).statusCode).toBe(202)
  expect((await schedule({}, capped.other.secret)).statusCode).toBe(202)
  const headers = { authorization: `Bearer ${capped.tenant.secret}` }
  const url = `/v1/messages/${first.json().id}/cancel`
  expect((await capped.app.inject({ method: 'POST', url, headers })).statusCode).toBe(200)
  expect((await schedule()).statusCode).toBe(202)
})

test('a repeated call is answered as before, also where no more may be scheduled', async () => {
  await using capped = await startTestSender({ caps: { scheduledMessages: 1 } })
  const send_at = seconds(Date.now() + dayMs)
  const schedule = () => post(capped, { ...message, send_at }, { 'idempotency-key': 'only' })
  const first = await schedule()
  expect((await schedule()).json()).toEqual(first.json())
})
