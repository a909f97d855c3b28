import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { IssuedApp } from '../src/credentials.ts'
import { type Simulator, startSimulator } from '../src/index.ts'
import { accessToken, admin, apnsClient, type Client, fcmClient, newToken, push } from './client.ts'

let simulator: Simulator
let client: Client

beforeAll(async () => {
  simulator = await startSimulator()
  client = apnsClient(simulator)
})

afterAll(async () => {
  await client.close()
  await simulator.close()
})

beforeEach(async () => {
  await admin(simulator, 'POST', '/reset')
})

describe('wrong input is answered 400 and names the field', () => {
  test.each<['GET' | 'PUT' | 'POST', string, unknown, string]>([
    ['PUT', '/tokens/ab', { behaviour: { kind: 'haunted' } }, 'behaviour.kind'],
    ['PUT', '/tokens/ab', { behaviour: { kind: 'slow' } }, 'behaviour.delay_ms'],
    ['PUT', '/tokens/ab', { behaviour: { kind: 'bad-token' }, times: 0 }, 'times'],
    ['PUT', '/tokens/ab', { behaviour: { kind: 'bad-token' }, time: 1 }, 'time'],
    [
      'PUT',
      '/tokens',
      [{ token: 'a', behaviour: { kind: 'reset', code: 99 } }],
      '0.behaviour.code',
    ],
    ['PUT', '/tokens', { token: 'a' }, ''],
    ['PUT', '/faults', { apns: { delay_ms: -1 } }, 'apns.delay_ms'],
    ['PUT', '/faults', { apns: { delay: 1 } }, 'apns.delay'],
    ['PUT', '/faults', { fcm: { cold_start: true } }, 'fcm.cold_start'],
    ['PUT', '/faults', { fcm: { status: { status: 200, reason: 'x' } } }, 'fcm.status.status'],
    ['POST', '/goaway', { provider: 'mail' }, 'provider'],
    ['POST', '/goaway', undefined, ''],
    ['POST', '/credentials', { name: '' }, 'name'],
    ['POST', '/credentials', { name: 'a', topic: 'no topic' }, 'topic'],
    ['GET', '/received?limit=0', undefined, 'limit'],
    ['GET', '/received?colour=red', undefined, 'colour'],
    ['GET', '/received/wait', undefined, 'accepted'],
  ])('%s %s %o', async (method, path, body, field) => {
    const answer = await admin(simulator, method, path, body)
    expect(answer.status).toBe(400)
    const named = field === '' ? {} : { field }
    expect(answer.body).toMatchObject({ error: expect.any(String), issues: [named] })
  })

  test('and changes nothing', async () => {
    await admin(simulator, 'PUT', '/tokens', [
      { token: 'a', behaviour: { kind: 'bad-token' } },
      { token: 'b', behaviour: { kind: 'nonsense' } },
    ])
    expect(await admin(simulator, 'GET', '/tokens/a')).toMatchObject({ status: 404 })
  })

  test('where it is not JSON at all', async () => {
    const response = await fetch(`${simulator.urls.simulator}/faults`, { method: 'PUT', body: '{' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ issues: [{ field: 'body' }] })
  })
})

describe('tokens', () => {
  test('can be set, read and deleted one by one', async () => {
    const behaviour = { kind: 'throttled', retry_after_s: 2 }
    const set = await admin(simulator, 'PUT', '/tokens/a%2Fb', { behaviour, times: 4 })
    expect(set).toEqual({ status: 200, body: { token: 'a/b', behaviour, times: 4 } })
    expect(await admin(simulator, 'GET', '/tokens/a%2Fb')).toEqual(set)
    expect(await admin(simulator, 'DELETE', '/tokens/a%2Fb')).toMatchObject({ status: 204 })
    expect(await admin(simulator, 'GET', '/tokens/a%2Fb')).toMatchObject({ status: 404 })
  })

  test('can be set 100,000 at a time, and no more', async () => {
    const rules = Array.from({ length: 100_000 }, () => ({
      token: newToken(),
      behaviour: { kind: 'bad-token' },
    }))
    expect(await admin(simulator, 'PUT', '/tokens', rules)).toMatchObject({
      body: { set: 100_000 },
    })
    const [{ token } = { token: '' }] = rules
    expect(await push(simulator, client, token)).toMatchObject({ status: 400 })
    expect(await admin(simulator, 'PUT', '/tokens', [...rules, rules[0]])).toMatchObject({
      status: 400,
    })
    expect(await admin(simulator, 'DELETE', '/tokens')).toMatchObject({ status: 204 })
    expect(await push(simulator, client, token)).toMatchObject({ status: 200 })
  })
})

describe('faults', () => {
  test('change one by one and end together', async () => {
    await admin(simulator, 'PUT', '/faults', { apns: { delay_ms: 5 } })
    await admin(simulator, 'PUT', '/faults', {
      apns: { goaway_every: 9 },
      fcm: { status: { status: 503, reason: 'UNAVAILABLE' } },
    })
    expect(await admin(simulator, 'GET', '/faults')).toMatchObject({
      body: {
        apns: { delay_ms: 5, goaway_every: 9, cold_start: true },
        fcm: { delay_ms: 0, status: { status: 503, reason: 'UNAVAILABLE', share: 1 } },
      },
    })
    expect(await admin(simulator, 'DELETE', '/faults')).toMatchObject({ status: 204 })
    expect(await admin(simulator, 'GET', '/faults')).toMatchObject({
      body: { apns: { delay_ms: 0, goaway_every: 0 }, fcm: { status: null } },
    })
  })
})

describe('credentials', () => {
  test('of further apps have the shape of the first ones, and work', async () => {
    const wanted = { name: 'Second App', topic: 'com.example.second', project_id: 'second' }
    const { status, body } = await admin(simulator, 'POST', '/credentials', wanted)
    const app = IssuedApp.parse(body)
    expect(status).toBe(201)
    expect(Object.keys(app.apns)).toEqual(Object.keys(simulator.credentials.apns))
    expect(app.fcm.serviceAccount.token_uri).toBe(simulator.urls.fcmToken)
    const fcm = fcmClient(simulator)
    expect(await accessToken(fcm, app)).toMatch(/^ya29\./)
    await fcm.close()
    const listed = await admin(simulator, 'GET', '/credentials')
    expect(listed.body).toMatchObject([{ name: 'default' }, { name: 'Second App' }])
    expect(await admin(simulator, 'POST', '/credentials', wanted)).toMatchObject({ status: 409 })
  })
})

describe('the counters', () => {
  test('tell answers, traffic and the cost of the process', async () => {
    await push(simulator, client)
    await push(simulator, client)
    await push(simulator, client, 'not-hex')
    const { body } = await admin(simulator, 'GET', '/counters')
    expect(body).toMatchObject({
      answers: [
        { provider: 'apns', status: 200, reason: null, count: 2 },
        { provider: 'apns', status: 400, reason: 'BadDeviceToken', count: 1 },
      ],
      apns: { open_sessions: 1, open_streams: 0, goaways_sent: 0, refused_streams: 0 },
      fcm: { open_sessions: 0 },
      oauth_tokens_issued: 0,
      cpu_seconds: expect.any(Number),
      rss_bytes: expect.any(Number),
    })
  })

  test('remember the most streams that were open at once', async () => {
    const behaviour = { kind: 'slow', delay_ms: 50 }
    const tokens = Array.from({ length: 12 }, newToken)
    await admin(
      simulator,
      'PUT',
      '/tokens',
      tokens.map((token) => ({ token, behaviour })),
    )
    await Promise.all(tokens.map((token) => push(simulator, client, token)))
    const { body } = await admin(simulator, 'GET', '/counters')
    expect(body).toMatchObject({ apns: { peak_streams: 12, open_streams: 0 } })
  })
})

test('reset forgets tokens, faults, the journal and the counters', async () => {
  await admin(simulator, 'PUT', '/tokens/a', { behaviour: { kind: 'bad-token' } })
  await admin(simulator, 'PUT', '/faults', { apns: { delay_ms: 1 } })
  await push(simulator, client)
  await admin(simulator, 'POST', '/reset')
  expect(await admin(simulator, 'GET', '/tokens/a')).toMatchObject({ status: 404 })
  expect(await admin(simulator, 'GET', '/faults')).toMatchObject({
    body: { apns: { delay_ms: 0 } },
  })
  expect(await admin(simulator, 'GET', '/received')).toMatchObject({ body: [] })
  expect(await admin(simulator, 'GET', '/counters')).toMatchObject({
    body: { answers: [], apns: { connects: 0, open_sessions: 1 } },
  })
})

test('health, the CA and unknown paths are answered', async () => {
  expect(await admin(simulator, 'GET', '/health')).toEqual({ status: 200, body: { ok: true } })
  const response = await fetch(`${simulator.urls.simulator}/ca.pem`)
  expect(await response.text()).toBe(simulator.caPem)
  expect(await admin(simulator, 'GET', '/nowhere')).toMatchObject({ status: 404 })
  expect(await admin(simulator, 'DELETE', '/health')).toMatchObject({ status: 405 })
})
