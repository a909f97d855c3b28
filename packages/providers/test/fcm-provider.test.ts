import { expect, test } from 'vitest'
import { createFcmProvider } from '../src/fcm/client.ts'
import { renderFcm } from '../src/fcm/payload.ts'
import { message } from './messages.ts'
import { closedLater, fcmToken, kinds, push, simulate } from './simulated.ts'

const rendered = renderFcm(message({ expiresAt: Date.now() + 3_600_000 }), Date.now())

const many = (count: number, send: () => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, send))

test('a push arrives with its body', async () => {
  const world = await simulate()
  const token = fcmToken()
  const outcome = await push(world.fcm(), rendered, { token })
  expect(outcome).toEqual({ kind: 'accepted', environment: null })
  expect(await world.received('&payload=1')).toMatchObject([
    { provider: 'fcm', token, message_id: message().id, collapse_id: message().collapseId },
  ])
})

test('one access token is fetched for all pushes that wait for it', async () => {
  const world = await simulate()
  const provider = world.fcm()
  const outcomes = await Promise.all(
    Array.from({ length: 500 }, () => push(provider, rendered, { token: fcmToken() })),
  )
  expect(kinds(outcomes)).toEqual({ accepted: 500 })
  expect(await world.counters()).toMatchObject({ oauth_tokens_issued: 1 })
})

test('an access token that is revoked is replaced once, and what it carried sent again', async () => {
  const world = await simulate()
  const provider = world.fcm()
  await push(provider, rendered, { token: fcmToken() })
  await world.revokeAccessTokens()
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, () => push(provider, rendered, { token: fcmToken() })),
  )
  expect(kinds(outcomes)).toEqual({ accepted: 200 })
  expect(await world.counters()).toMatchObject({ oauth_tokens_issued: 2 })
})

test('a new access token that is no better leaves open what is at fault, and is fetched once', async () => {
  const world = await simulate()
  await world.fault({ fcm: { status: { status: 401, reason: 'UNAUTHENTICATED', share: 1 } } })
  const provider = world.fcm()
  const ambiguous = { kind: 'ambiguous', reason: 'UNAUTHENTICATED' }
  expect(await push(provider, rendered, { token: fcmToken() })).toEqual(ambiguous)
  expect(await push(provider, rendered, { token: fcmToken() })).toEqual(ambiguous)
  expect(await world.counters()).toMatchObject({ oauth_tokens_issued: 2 })
})

test('the access token is renewed in the background at four fifths of its life', async () => {
  const clock = { now: Date.now() }
  const now = () => clock.now
  const world = await simulate({ now })
  const provider = world.fcm({ now })
  const send = () => push(provider, rendered, { token: fcmToken() })
  await send()
  clock.now += 2860 * 1000
  await world.fault({ fcm: { oauth: { status: 503, error: 'unavailable' } } })
  // The old one serves while it is valid.
  expect(kinds([await send(), await send()])).toEqual({ accepted: 2 })
  clock.now += 60_000
  await world.fault({ fcm: { oauth: null } })
  expect(kinds([await send()])).toEqual({ accepted: 1 })
  await expect.poll(world.counters).toMatchObject({ oauth_tokens_issued: 2 })
})

test('a refused service account is a fault of configuration, told to all who wait', async () => {
  const world = await simulate()
  await world.fault({ fcm: { oauth: { status: 400, error: 'invalid_grant' } } })
  const provider = world.fcm()
  const outcomes = await many(20, () => push(provider, rendered, { token: fcmToken() }))
  for (const outcome of outcomes) {
    expect(outcome).toEqual({ kind: 'misconfigured', reason: 'oauth invalid_grant' })
  }
  expect(await world.count()).toMatchObject({ requests: 0 })
})

test('a token endpoint out of order is unavailable and not asked by every push', async () => {
  const world = await simulate()
  await world.fault({ fcm: { oauth: { status: 503, error: 'unavailable' } } })
  const provider = world.fcm()
  const outcome = { kind: 'unavailable', reason: 'oauth unavailable', mayHaveArrived: false }
  for (let tries = 0; tries < 20; tries += 1) {
    expect(await push(provider, rendered, { token: fcmToken() })).toMatchObject(outcome)
  }
  await world.fault({ fcm: { oauth: null } })
  // Still within the backoff of at least half a second.
  expect(await push(provider, rendered, { token: fcmToken() })).toMatchObject(outcome)
  await expect
    .poll(() => push(provider, rendered, { token: fcmToken() }), { timeout: 3000 })
    .toMatchObject({ kind: 'accepted' })
})

test('a token endpoint that cannot be reached is unavailable', async () => {
  const world = await simulate()
  const endpoints = { ...world.endpoints, fcmToken: 'https://localhost:1/token' }
  const provider = closedLater(createFcmProvider(world.credentials.fcm, endpoints))
  expect(await push(provider, rendered, { token: fcmToken() })).toEqual({
    kind: 'unavailable',
    reason: 'oauth ECONNREFUSED',
    afterMs: null,
    mayHaveArrived: false,
  })
})

test('each behaviour of a token has its outcome', async () => {
  const world = await simulate()
  const provider = world.fcm()
  const behaviours = [
    ['unregistered', { kind: 'token-dead', reason: 'UNREGISTERED', since: null }],
    ['bad-token', { kind: 'token-dead', reason: 'INVALID_ARGUMENT', since: null }],
    ['wrong-topic', { kind: 'ambiguous', reason: 'SENDER_ID_MISMATCH' }],
    ['throttled', { kind: 'throttled', reason: 'QUOTA_EXCEEDED', scope: 'token' }],
    ['reset', { kind: 'unavailable', mayHaveArrived: true }],
    ['lose-answer', { kind: 'unavailable', mayHaveArrived: true }],
  ] as const
  for (const [kind, outcome] of behaviours) {
    const token = fcmToken()
    await world.behave(token, { kind })
    expect(await push(provider, rendered, { token })).toMatchObject(outcome)
  }
})

test('a project over its quota throttles the credential', async () => {
  const world = await simulate()
  await world.fault({ fcm: { project_limit: { requests: 1, window_s: 60 } } })
  const provider = world.fcm()
  const outcomes = await many(2, () => push(provider, rendered, { token: fcmToken() }))
  expect(outcomes).toContainEqual(
    expect.objectContaining({ kind: 'throttled', scope: 'credential' }),
  )
})

test('another project’s name costs no token', async () => {
  const world = await simulate()
  const other = { ...world.credentials.fcm, projectId: 'another-project' }
  const provider = closedLater(createFcmProvider(other, world.endpoints))
  const outcome = await push(provider, rendered, { token: fcmToken() })
  expect(outcome).toMatchObject({ kind: 'ambiguous' })
})

test('a burst over several connections and GOAWAYs arrives whole and once', async () => {
  const world = await simulate()
  await world.fault({ fcm: { delay_ms: 30, goaway_every: 200, goaway_unprocessed: 20 } })
  const provider = world.fcm()
  const outcomes = await Promise.all(
    Array.from({ length: 1000 }, () => push(provider, rendered, { token: fcmToken() })),
  )
  expect(kinds(outcomes)).toEqual({ accepted: 1000 })
  expect(await world.count()).toMatchObject({
    accepted: 1000,
    distinct_tokens: 1000,
    duplicates: 0,
  })
  expect(provider.stats().fcm?.connects).toBeGreaterThan(1)
})

test('closing while pushes wait for an access token answers them', async () => {
  const world = await simulate()
  const endpoints = { ...world.endpoints, fcmToken: 'https://192.0.2.1/token' }
  const provider = closedLater(createFcmProvider(world.credentials.fcm, endpoints))
  const waiting = push(provider, rendered, { token: fcmToken() })
  await provider.close(1000)
  expect(await waiting).toMatchObject({ kind: 'unavailable', mayHaveArrived: false })
})
