import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { createApnsProvider } from '../src/apns/client.ts'
import { renderApns } from '../src/apns/payload.ts'
import type { ProviderOptions } from '../src/provider.ts'
import type { Fault } from './fault-server.ts'
import { message } from './messages.ts'
import { serve, until } from './pool-harness.ts'
import { apnsToken, closedLater, kinds, push, simulate } from './simulated.ts'

const soon = { expiresAt: Date.now() + 3_600_000 }

const rendered = (topic: string) => renderApns(message(soon), topic)

/** A provider whose two environments are fault servers. */
async function faulty(production: Fault, sandbox: Fault, options: ProviderOptions = {}) {
  const [first, second] = [await serve(production), await serve(sandbox)]
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const credentials = {
    teamId: 'TEAM123456',
    keyId: 'KEY1234567',
    topic: 'com.example.app',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    environment: 'production' as const,
  }
  const endpoints = {
    apnsProduction: first.url,
    apnsSandbox: second.url,
    fcm: first.url,
    fcmToken: first.url,
    ca: first.ca,
  }
  const provider = closedLater(createApnsProvider(credentials, endpoints, options))
  const send = (token = apnsToken()) => push(provider, rendered('com.example.app'), { token })
  return { provider, send }
}

const answering =
  (status: number, reason: string, headers: Record<string, string> = {}): Fault =>
  (arrival, server) =>
    server.answer(arrival, status, status === 200 ? '' : JSON.stringify({ reason }), headers)

test('a push arrives with its headers and its payload', async () => {
  const world = await simulate()
  const { topic } = world.credentials.apns
  const target = { token: apnsToken(), apnsId: '0193575e-0000-4000-8000-00000000000a' }
  const outcome = await push(world.apns(), rendered(topic), target)
  expect(outcome).toEqual({ kind: 'accepted', environment: null })
  expect(await world.received('&payload=1')).toMatchObject([
    {
      provider: 'apns',
      environment: 'production',
      token: target.token,
      apns_id: target.apnsId,
      collapse_id: message().collapseId,
      topic,
      push_type: 'alert',
      payload: { aps: { alert: { title: 'Hello', body: 'World' } } },
    },
  ])
})

test('a token of the other environment is found there, with the same id, and remembered', async () => {
  const world = await simulate()
  const [token, apnsId] = [apnsToken(), '0193575e-0000-4000-8000-00000000000b']
  await world.behave(token, { kind: 'environment', environment: 'sandbox' })
  const provider = world.apns()
  const push1 = rendered(world.credentials.apns.topic)
  expect(await push(provider, push1, { token, apnsId })).toEqual({
    kind: 'accepted',
    environment: 'sandbox',
  })
  expect(await world.received()).toMatchObject([
    { environment: 'production', status: 400, reason: 'BadDeviceToken', apns_id: apnsId },
    { environment: 'sandbox', status: 200, apns_id: apnsId },
  ])
  const known = { token, environment: 'sandbox' as const }
  expect(await push(provider, push1, known)).toEqual({ kind: 'accepted', environment: null })
})

test('a token that both environments refuse is dead', async () => {
  const world = await simulate()
  const token = apnsToken()
  await world.behave(token, { kind: 'bad-token' })
  const outcome = await push(world.apns(), rendered(world.credentials.apns.topic), { token })
  expect(outcome).toEqual({ kind: 'token-dead', reason: 'BadDeviceToken', since: null })
  expect(await world.count()).toMatchObject({ requests: 2, accepted: 0 })
})

test('a token that has ended is dead since the time that APNs gives', async () => {
  const world = await simulate()
  const token = apnsToken()
  await world.behave(token, { kind: 'unregistered', since: 1_760_000_000_000 })
  const outcome = await push(world.apns(), rendered(world.credentials.apns.topic), { token })
  expect(outcome).toEqual({ kind: 'token-dead', reason: 'Unregistered', since: 1_760_000_000_000 })
})

test('too many pushes to one device throttle that token', async () => {
  const world = await simulate()
  const token = apnsToken()
  await world.behave(token, { kind: 'throttled', retry_after_s: 9 })
  const outcome = await push(world.apns(), rendered(world.credentials.apns.topic), { token })
  expect(outcome).toMatchObject({ kind: 'throttled', scope: 'token', afterMs: 9000 })
})

test('an accepted push whose answer is lost is unknown, and its repeat has the same id', async () => {
  const world = await simulate()
  const target = { token: apnsToken(), apnsId: '0193575e-0000-4000-8000-00000000000c' }
  await world.behave(target.token, { kind: 'lose-answer' }, 1)
  const provider = world.apns()
  const sent = rendered(world.credentials.apns.topic)
  const first = await push(provider, sent, target)
  expect(first).toMatchObject({ kind: 'unavailable', mayHaveArrived: true })
  expect(await push(provider, sent, target)).toMatchObject({ kind: 'accepted' })
  expect(await world.duplicates()).toMatchObject([{ by: 'apns_id', key: target.apnsId }])
})

test('a cold burst through GOAWAYs arrives whole and once', async () => {
  const world = await simulate()
  await world.fault({
    apns: { cold_start: true, goaway_every: 150, goaway_unprocessed: 10, delay_ms: 5 },
  })
  const provider = world.apns()
  const sent = rendered(world.credentials.apns.topic)
  const outcomes = await Promise.all(Array.from({ length: 1000 }, () => push(provider, sent)))
  expect(kinds(outcomes)).toEqual({ accepted: 1000 })
  expect(await world.count()).toMatchObject({
    accepted: 1000,
    distinct_tokens: 1000,
    duplicates: 0,
  })
  expect(provider.stats().production?.goaways).toBeGreaterThan(0)
})

test('both environments and all connections share one provider token', async () => {
  const world = await simulate({ maxConcurrentStreams: 10 })
  await world.fault({ apns: { limit_provider_token_updates: true, delay_ms: 20 } })
  const provider = world.apns()
  const sent = rendered(world.credentials.apns.topic)
  const environments = ['production', 'sandbox'] as const
  const outcomes = await Promise.all(
    Array.from({ length: 300 }, (_, at) =>
      push(provider, sent, { environment: environments[at % 2] ?? null }),
    ),
  )
  expect(kinds(outcomes)).toEqual({ accepted: 300 })
  expect(provider.stats().production?.connects).toBeGreaterThan(1)
})

test('what the other environment says counts, but one refusal is no proof of death', async () => {
  const bad = answering(400, 'BadDeviceToken')
  const busy = await faulty(bad, answering(503, 'ServiceUnavailable'))
  expect(await busy.send()).toMatchObject({ kind: 'unavailable', mayHaveArrived: false })
  const ended = await faulty(bad, answering(410, 'Unregistered'))
  expect(await ended.send()).toMatchObject({ kind: 'token-dead', reason: 'Unregistered' })
  const mute = await faulty(bad, () => {}, { pool: { requestTimeoutMs: 100 } })
  expect(await mute.send()).toMatchObject({ kind: 'unavailable', mayHaveArrived: true })
})

test('where the key is bound to one environment, a token of the other one stops nothing', async () => {
  const bound = answering(403, 'BadEnvironmentKeyIdInToken')
  const second = await faulty(answering(400, 'BadDeviceToken'), bound)
  expect(await second.send()).toEqual({ kind: 'ambiguous', reason: 'BadDeviceToken' })
  const first = await faulty(bound, bound)
  expect(await first.send()).toEqual({ kind: 'ambiguous', reason: 'BadEnvironmentKeyIdInToken' })
})

test('an expired provider token is renewed once, and everything that it carried sent again', async () => {
  const seen = new Set<unknown>()
  const clock = { now: Date.now() }
  const expiring: Fault = (arrival, server) => {
    seen.add(arrival.headers.authorization)
    const isFirst = arrival.headers.authorization === [...seen][0]
    answering(isFirst ? 403 : 200, 'ExpiredProviderToken')(arrival, server)
  }
  const { send } = await faulty(expiring, () => {}, { now: () => clock.now })
  clock.now += 1000
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => send()))
  expect(kinds(outcomes)).toEqual({ accepted: 50 })
  expect(seen.size).toBe(2)
})

test('a provider token that is expired again at once is a fault of configuration', async () => {
  let requests = 0
  const { send } = await faulty(
    (arrival, server) => {
      requests += 1
      answering(403, 'ExpiredProviderToken')(arrival, server)
    },
    () => {},
  )
  const misconfigured = { kind: 'misconfigured', reason: 'ExpiredProviderToken' }
  expect(await send()).toEqual(misconfigured)
  expect(requests).toBe(2)
  expect(await send()).toEqual(misconfigured)
  expect(requests).toBe(3)
})

test('one push renews the provider token once, however long it takes', async () => {
  const clock = { now: Date.now() }
  let requests = 0
  const slowly: Fault = (arrival, server) => {
    requests += 1
    clock.now += 21 * 60_000
    answering(403, 'ExpiredProviderToken')(arrival, server)
  }
  const { send } = await faulty(slowly, () => {}, { now: () => clock.now })
  expect(await send()).toEqual({ kind: 'misconfigured', reason: 'ExpiredProviderToken' })
  expect(requests).toBe(2)
})

test('too many provider tokens throttle the credential', async () => {
  const { send } = await faulty(answering(429, 'TooManyProviderTokenUpdates'), () => {})
  expect(await send()).toEqual({
    kind: 'throttled',
    reason: 'TooManyProviderTokenUpdates',
    scope: 'credential',
    afterMs: null,
  })
})

test.each(['../../evil', 'a b', 'ä\r\nx: y', '\ud800', ''])(
  'the token %j stays inside its path',
  async (token) => {
    let path: string | undefined
    const { send } = await faulty(
      (arrival, server) => {
        path = arrival.headers[':path']
        server.answer(arrival)
      },
      () => {},
    )
    expect(await send(token)).toMatchObject({ kind: 'accepted' })
    expect(path).toMatch(/^\/3\/device\/[\w%.-]*$/)
  },
)

test('no outcome repeats the token, whatever goes wrong', async () => {
  const token = 'ab12'.repeat(16)
  const evil: Fault = (arrival, server) => {
    if (arrival.order === 1) server.answer(arrival, 400, JSON.stringify({ reason: token }))
    else if (arrival.order === 2) server.answer(arrival, 410, arrival.headers[':path'])
    else arrival.session.socket.destroy()
  }
  const { send } = await faulty(evil, () => {})
  for (let tries = 0; tries < 3; tries += 1) {
    expect(JSON.stringify(await send(token))).not.toContain('ab12ab12')
  }
})

test('a closed provider takes nothing more, and pushes under way are finished first', async () => {
  const slow: Fault = (arrival, server) => setTimeout(() => server.answer(arrival), 50)
  const { provider, send } = await faulty(slow, slow)
  const underWay = send()
  await until(() => provider.stats().production?.streams === 1)
  const closing = provider.close(1000)
  expect(await send()).toEqual({ kind: 'unsent', reason: 'closed' })
  expect(await underWay).toMatchObject({ kind: 'accepted' })
  await closing
  expect(provider.stats().production).toMatchObject({ sessions: 0, streams: 0 })
})

test('a device that names an environment that the key is not for is asked in the other one', async () => {
  const bound = answering(403, 'BadEnvironmentKeyIdInToken')
  const target = () => ({ token: apnsToken(), environment: 'sandbox' }) as const
  const topic = rendered('com.example.app')
  const taken = await faulty(answering(200, ''), bound)
  const accepted = { kind: 'accepted', environment: 'production' }
  expect(await push(taken.provider, topic, target())).toEqual(accepted)
  const unknown = await faulty(answering(400, 'BadDeviceToken'), bound)
  expect(await push(unknown.provider, topic, target())).toEqual({
    kind: 'ambiguous',
    reason: 'BadDeviceToken',
  })
})

test.each([
  'InvalidProviderToken',
  'MissingProviderToken',
  'BadCertificate',
  'ExpiredProviderToken',
])('%s of the environment that a device chose says nothing of the lane', async (reason) => {
  const refused = answering(403, reason)
  const topic = rendered('com.example.app')
  const target = () => ({ token: apnsToken(), environment: 'sandbox' }) as const
  const taken = await faulty(answering(200, ''), refused)
  expect(await push(taken.provider, topic, target())).toEqual({
    kind: 'accepted',
    environment: 'production',
  })
  // A token that production does not know either, whichever of the two is asked first.
  const unknown = await faulty(answering(400, 'BadDeviceToken'), refused)
  const ambiguous = { kind: 'ambiguous', reason: 'BadDeviceToken' }
  expect(await push(unknown.provider, topic, target())).toEqual(ambiguous)
  expect(await unknown.send()).toEqual(ambiguous)
  // Refused by the environment that the credentials name as well: it is about them.
  const wrong = await faulty(refused, refused)
  expect(await push(wrong.provider, topic, target())).toEqual({ kind: 'misconfigured', reason })
})
