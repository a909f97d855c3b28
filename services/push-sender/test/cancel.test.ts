import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDevice, apnsToken, get, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
  const [app] = sender.tenant.apps
  await addDevice(sender, { app, personId: 'anna', token: apnsToken(1) })
})
afterAll(() => sender[Symbol.asyncDispose]())

async function accept(to: object = { person_id: 'anna' }): Promise<string> {
  return (await post(sender, { to, content: { title: 'Hello' } })).json().id
}

function cancel(id: string, key = sender.tenant.secret, payload?: object) {
  return sender.app.inject({
    method: 'POST',
    url: `/v1/messages/${id}/cancel`,
    headers: { authorization: `Bearer ${key}` },
    ...(payload === undefined ? {} : { payload }),
  })
}

test('a message that has not left is cancelled, and says so; again changes nothing', async () => {
  const id = await accept()
  expect((await get(sender, `/v1/messages/${id}`)).json().cancelled_at).toBeNull()
  const response = await cancel(id)
  expect(response.statusCode).toBe(200)
  const { cancelled_at } = response.json()
  expect(Date.parse(cancelled_at)).toBeGreaterThan(Date.now() - 60_000)
  expect((await cancel(id)).json()).toMatchObject({ id, cancelled_at })
})

test('a broadcast that is not planned yet is done with its cancellation', async () => {
  const id = await accept({ all: true })
  expect((await cancel(id)).json()).toMatchObject({
    state: 'done',
    balanced: true,
    counts: { recipients: 0 },
  })
})

test('409 where nothing is left to cancel', async () => {
  const response = await cancel(await accept({ person_id: 'nobody' }))
  expect(response.statusCode).toBe(409)
  expect(response.json()).toMatchObject({ code: 'message_done' })
})

test('404 for what is no message of the caller, 422 for a body that says something', async () => {
  const id = await accept()
  expect((await cancel(id, sender.other.secret)).statusCode).toBe(404)
  expect((await cancel(id, sender.tenant.appSecret)).statusCode).toBe(404)
  expect((await cancel('nothing')).statusCode).toBe(404)
  const response = await cancel(id, sender.tenant.secret, { why: 'because' })
  expect(response.statusCode).toBe(422)
  expect((await get(sender, `/v1/messages/${id}`)).json().cancelled_at).toBeNull()
})
