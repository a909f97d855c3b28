import { generateKeyPairSync } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { IssuedApp } from '../src/credentials.ts'
import { type Simulator, startSimulator } from '../src/index.ts'
import {
  admin,
  apnsClient,
  type Client,
  newToken,
  providerToken,
  push,
  seconds,
  until,
} from './client.ts'

let simulator: Simulator
let clock = 0
let client: Client

beforeAll(async () => {
  simulator = await startSimulator({ now: () => Date.now() + clock })
})

afterAll(async () => {
  await simulator.close()
})

beforeEach(() => {
  clock = 0
  client = apnsClient(simulator)
})

afterEach(async () => {
  await client.close()
  await admin(simulator, 'POST', '/reset')
})

async function pushWith(authorization: string | undefined, via = client) {
  const answer = await push(simulator, via, newToken(), { authorization })
  const reason = z.object({ reason: z.string() }).safeParse(answer.body)
  return `${answer.status} ${reason.success ? reason.data.reason : ''}`.trim()
}

async function issue(request: object): Promise<IssuedApp> {
  const { body } = await admin(simulator, 'POST', '/credentials', request)
  return IssuedApp.parse(body)
}

const otherKey = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey

describe('a provider token', () => {
  test('is missing where there is no authorization header', async () => {
    expect(await pushWith(undefined)).toBe('403 MissingProviderToken')
  })

  test.each<[string, () => string]>([
    ['is not a JWT', () => 'bearer nonsense'],
    ['has no bearer scheme', () => providerToken(simulator.credentials)],
    [
      'has an unknown key id',
      () => `bearer ${providerToken(simulator.credentials, { header: { kid: 'UNKNOWN123' } })}`,
    ],
    [
      'has another team',
      () => `bearer ${providerToken(simulator.credentials, { claims: { iss: 'OTHERTEAM1' } })}`,
    ],
    [
      'is signed by another key',
      () => `bearer ${providerToken(simulator.credentials, { key: otherKey })}`,
    ],
    [
      'is for another algorithm',
      () => `bearer ${providerToken(simulator.credentials, { header: { alg: 'none' } })}`,
    ],
    [
      'comes from the future',
      () => `bearer ${providerToken(simulator.credentials, { claims: { iat: seconds() + 900 } })}`,
    ],
  ])('is invalid where it %s', async (_, header) => {
    expect(await pushWith(header())).toBe('403 InvalidProviderToken')
  })

  test('expires an hour after it was issued, also on a connection that has used it', async () => {
    const authorization = `bearer ${providerToken(simulator.credentials)}`
    expect(await pushWith(authorization)).toBe('200')
    clock = 3_601_000
    expect(await pushWith(authorization)).toBe('403 ExpiredProviderToken')
    await using fresh = closing(apnsClient(simulator))
    expect(await pushWith(authorization, fresh.client)).toBe('403 ExpiredProviderToken')
  })

  test('becomes invalid when its key is revoked', async () => {
    const app = await issue({ name: 'to-revoke', topic: simulator.credentials.apns.topic })
    const authorization = `bearer ${providerToken(app)}`
    expect(await pushWith(authorization)).toBe('200')
    await admin(simulator, 'DELETE', '/credentials/to-revoke')
    expect(await pushWith(authorization)).toBe('403 InvalidProviderToken')
  })

  test('may not push to a topic of another team', async () => {
    const app = await issue({ name: 'other-team', topic: 'com.example.other' })
    expect(await pushWith(`bearer ${providerToken(app)}`)).toBe('400 TopicDisallowed')
  })

  test('of another key needs another connection', async () => {
    const { topic } = simulator.credentials.apns
    const app = await issue({ name: 'same-topic', topic })
    expect(await pushWith(`bearer ${providerToken(simulator.credentials)}`)).toBe('200')
    expect(await pushWith(`bearer ${providerToken(app)}`)).toBe('403 UnrelatedKeyIdInToken')
    await using fresh = closing(apnsClient(simulator))
    expect(await pushWith(`bearer ${providerToken(app)}`, fresh.client)).toBe('200')
  })

  test('of a key for one environment is refused by the other', async () => {
    const { topic } = simulator.credentials.apns
    const app = await issue({ name: 'sandbox-only', topic, environment: 'sandbox' })
    const authorization = `bearer ${providerToken(app)}`
    expect(await pushWith(authorization)).toBe('403 BadEnvironmentKeyIdInToken')
    await using sandbox = closing(apnsClient(simulator, 'sandbox'))
    expect(await pushWith(authorization, sandbox.client)).toBe('200')
  })

  test('may change as often as it likes by default', async () => {
    for (const iat of [seconds(), seconds() - 1, seconds() - 2]) {
      const token = providerToken(simulator.credentials, { claims: { iat } })
      expect(await pushWith(`bearer ${token}`)).toBe('200')
    }
  })

  test('may change once in 20 minutes on a connection where that is limited', async () => {
    await admin(simulator, 'PUT', '/faults', { apns: { limit_provider_token_updates: true } })
    const [first, second] = [seconds(), seconds() - 1].map(
      (iat) => `bearer ${providerToken(simulator.credentials, { claims: { iat } })}`,
    )
    expect(await pushWith(first)).toBe('200')
    expect(await pushWith(second)).toBe('429 TooManyProviderTokenUpdates')
    expect(await pushWith(first)).toBe('200')
    clock = 20 * 60_000
    expect(await pushWith(second)).toBe('200')
  })
})

describe('a new connection', () => {
  test('offers one stream until a request brought a valid provider token', async () => {
    await until(() => client.maxStreams === 1)
    await pushWith('bearer nonsense')
    expect(await client.ping(1000)).toBe(true)
    expect(client.maxStreams).toBe(1)
    await pushWith(`bearer ${providerToken(simulator.credentials)}`)
    await until(() => client.maxStreams === 1000)
  })

  test('offers all streams at once where the cold start is switched off', async () => {
    await admin(simulator, 'PUT', '/faults', { apns: { cold_start: false } })
    await using warm = closing(apnsClient(simulator))
    await until(() => warm.client.maxStreams === 1000)
  })

  test('that is sent a burst before its settings arrived refuses all but one stream', async () => {
    await using hasty = closing(apnsClient(simulator))
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => push(simulator, hasty.client)),
    )
    const accepted = answers.filter(({ status }) => status === 200).length
    expect(accepted).toBeGreaterThanOrEqual(1)
    expect(accepted).toBeLessThan(20)
  })
})

function closing(owned: Client) {
  return { client: owned, [Symbol.asyncDispose]: () => owned.close() }
}
