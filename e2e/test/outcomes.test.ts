import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  type Answer,
  deliveries,
  done,
  iosToken,
  type System,
  send,
  startSystem,
} from './system.ts'

let system: System
let person = ''
let people = 0
beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system[Symbol.asyncDispose]())
beforeEach(() => {
  people += 1
  person = `person-${people}`
})

async function register(token = iosToken(), of = person): Promise<string> {
  const answer = await system.registry('PUT', `/v1/people/${of}/devices`, {
    device: { id: token, platform: 'ios' },
  })
  expect(answer.status).toBe(200)
  return token
}

async function behave(token: string, behaviour: object, times?: number): Promise<void> {
  const body = { behaviour, ...(times && { times }) }
  expect((await system.simulator('PUT', `/tokens/${token}`, body)).status).toBeLessThan(300)
}

async function received(token: string): Promise<Answer['body'][]> {
  return (await system.simulator('GET', `/received?token=${token}`)).body
}

async function device(token: string): Promise<Answer['body']> {
  return (await system.registry('GET', `/v1/devices/${token}`)).body
}

const message = () => ({ to: { person_id: person }, content: { title: 'Hello' } })

test('a throttled token waits as long as the provider asks, and gets the same push then', async () => {
  const token = await register()
  await behave(token, { kind: 'throttled', retry_after_s: 2 }, 1)
  const id = await send(system, message())
  expect((await done(system, id)).counts).toMatchObject({ sent: 1 })
  const [first, second] = await received(token)
  expect([first.status, second.status]).toEqual([429, 200])
  expect(second.at - first.at).toBeGreaterThanOrEqual(2000)
  expect(second.apns_id).toBe(first.apns_id)
  expect((await device(token)).attributes._last_status).toBe('sent')
})

test('a token of the other APNs environment is sent there, and that is remembered', async () => {
  const token = await register()
  await behave(token, { kind: 'environment', environment: 'sandbox' })
  await done(system, await send(system, message()))
  expect((await device(token)).environment).toBe('sandbox')
  await done(system, await send(system, message()))
  const environments = (await received(token)).map((entry) => [entry.environment, entry.status])
  expect(environments).toEqual([
    ['production', 400],
    ['sandbox', 200],
    ['sandbox', 200],
  ])
})

test('a token that both environments refuse is dead', async () => {
  const token = await register()
  await behave(token, { kind: 'bad-token' })
  const id = await send(system, message())
  expect((await done(system, id)).counts).toMatchObject({ bounced: 1 })
  expect(await deliveries(system, id)).toMatchObject([
    { status: 'bounced', reason: 'BadDeviceToken' },
  ])
  expect((await device(token)).attributes).toMatchObject({
    _last_status: 'bounced',
    push_enabled: 'false',
  })
})

test('a notice of death from before the registration retires nothing', async () => {
  const token = await register()
  await behave(token, { kind: 'unregistered', since: Date.now() - 3_600_000 })
  const attributes = async () => (await device(token)).attributes
  for (const _of of [1, 2, 3]) {
    const { counts } = await done(system, await send(system, message()))
    expect(counts).toMatchObject({ failed: 1 })
    expect(await attributes()).toMatchObject({ _last_status: '', push_enabled: 'true' })
  }
  expect(await received(token)).toHaveLength(3)
  await system.simulator('DELETE', `/tokens/${token}`)
  await register(token)
  expect(await attributes()).toMatchObject({ _last_status: '' })
  expect((await done(system, await send(system, message()))).counts).toMatchObject({ sent: 1 })
})

test("the message's fault fails its delivery and leaves the device alone", async () => {
  const token = await register()
  await behave(token, { kind: 'status', status: 400, reason: 'BadExpirationDate' })
  const id = await send(system, message())
  expect((await done(system, id)).counts).toMatchObject({ failed: 1 })
  expect((await device(token)).attributes).toMatchObject({ _last_status: '', push_enabled: 'true' })
})

test('an answer that was lost is asked for again under the same ids', async () => {
  const token = await register()
  await behave(token, { kind: 'lose-answer' }, 1)
  const id = await send(system, message())
  expect((await done(system, id)).counts).toMatchObject({ sent: 1 })
  const entries = await received(token)
  expect(entries).toHaveLength(2)
  expect(new Set(entries.map((entry) => entry.apns_id)).size).toBe(1)
  expect(new Set(entries.map((entry) => entry.collapse_id))).toEqual(new Set([id]))
})

test('an answer that was lost is not asked for again where the message says so', async () => {
  const token = await register()
  await behave(token, { kind: 'lose-answer' }, 1)
  const id = await send(system, { ...message(), on_unknown: 'give_up' })
  expect((await done(system, id)).counts).toMatchObject({ failed: 1 })
  expect(await deliveries(system, id)).toMatchObject([{ status: 'failed', reason: 'unknown' }])
  expect(await received(token)).toHaveLength(1)
})

test('what cannot be sent before its expiry expires', async () => {
  const token = await register()
  await behave(token, {
    kind: 'status',
    status: 503,
    reason: 'ServiceUnavailable',
    retry_after_s: 60,
  })
  const id = await send(system, { ...message(), ttl_seconds: 30 })
  expect((await done(system, id)).counts).toMatchObject({ expired: 1 })
  expect((await device(token)).attributes._last_status).toBe('')
  // Other apps and lanes go on, this one's breaker is open for the minute that was asked for.
}, 60_000)

test('nothing is sent to whoever is suppressed, muted or has lost the device', async () => {
  const token = await register()
  await system.registry('POST', `/v1/people/${person}/suppress`)
  const first = await send(system, message())
  expect(await reasonsOf(first)).toEqual(['person_suppressed'])
  expect((await device(token)).attributes._last_status).toBe('suppressed')
  await system.registry('POST', `/v1/people/${person}/unsuppress`)
  await system.registry('PUT', `/v1/people/${person}/devices`, {
    device: { id: token, platform: 'ios', attributes: { push_enabled: false } },
  })
  expect(await reasonsOf(await send(system, message()))).toEqual(['push_disabled'])
  await register(token, `${person}-next`)
  expect((await done(system, await send(system, message()))).counts).toMatchObject({
    recipients: 0,
  })
  expect(await received(token)).toEqual([])
})

async function reasonsOf(id: string): Promise<string[]> {
  await done(system, id)
  return (await deliveries(system, id)).map((delivery) => delivery.reason)
}
