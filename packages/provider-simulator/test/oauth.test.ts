import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../src/index.ts'
import { admin, assertion, type Client, fcmClient, grant, seconds } from './client.ts'

let simulator: Simulator
let client: Client

beforeAll(async () => {
  simulator = await startSimulator()
  client = fcmClient(simulator)
})

afterAll(async () => {
  await client.close()
  await simulator.close()
})

const otherKey = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey

describe('the token endpoint', () => {
  test('grants an access token for a signed assertion', async () => {
    const { status, body } = await grant(client, assertion(simulator.credentials))
    expect(status).toBe(200)
    expect(body).toEqual({
      access_token: expect.stringMatching(/^ya29\./),
      expires_in: 3599,
      token_type: 'Bearer',
    })
  })

  test.each([
    ['for the audience that Google itself has', { aud: 'https://oauth2.googleapis.com/token' }],
    ['for the whole platform', { scope: 'https://www.googleapis.com/auth/cloud-platform' }],
    [
      'for messaging among others',
      {
        scope:
          'https://www.googleapis.com/auth/x https://www.googleapis.com/auth/firebase.messaging',
      },
    ],
  ])('grants one %s', async (_, claims) => {
    const answer = await grant(client, assertion(simulator.credentials, { claims }))
    expect(answer).toMatchObject({ status: 200 })
  })

  test.each([
    ['an unknown account', { iss: 'nobody@example.com' }, 'Invalid grant: account not found'],
    ['another audience', { aud: 'https://example.com/token' }, /audience/],
    [
      'an assertion that has expired',
      { iat: seconds() - 7200, exp: seconds() - 3600 },
      /short-lived/,
    ],
    [
      'an assertion from the future',
      { iat: seconds() + 900, exp: seconds() + 4000 },
      /short-lived/,
    ],
    ['an assertion for too long', { exp: seconds() + 7200 }, /short-lived/],
    ['an assertion without times', { iat: undefined }, /cannot be read/],
  ])('refuses %s', async (_, claims, description) => {
    const answer = await grant(client, assertion(simulator.credentials, { claims }))
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: expect.stringMatching(description) },
    })
  })

  test('refuses the signature of another key', async () => {
    const answer = await grant(client, assertion(simulator.credentials, { key: otherKey }))
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({
      error: 'invalid_grant',
      error_description: 'Invalid JWT Signature.',
    })
  })

  test('refuses what is no assertion', async () => {
    expect(await grant(client, 'nonsense')).toMatchObject({ body: { error: 'invalid_grant' } })
  })

  test('refuses a scope that does not cover messaging', async () => {
    const claims = { scope: 'https://www.googleapis.com/auth/drive' }
    const answer = await grant(client, assertion(simulator.credentials, { claims }))
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
  })

  test('refuses another grant type', async () => {
    const answer = await grant(client, assertion(simulator.credentials), 'password')
    expect(answer).toMatchObject({ status: 400, body: { error: 'unsupported_grant_type' } })
  })

  test('counts what it has issued', async () => {
    await admin(simulator, 'POST', '/reset')
    await grant(client, assertion(simulator.credentials))
    await grant(client, 'nonsense')
    const { body } = await admin(simulator, 'GET', '/counters')
    expect(body).toMatchObject({ oauth_tokens_issued: 1 })
  })

  test('fails where it is told to', async () => {
    await admin(simulator, 'PUT', '/faults', { fcm: { oauth: { status: 503, error: 'backend' } } })
    const answer = await grant(client, assertion(simulator.credentials))
    expect(answer).toMatchObject({ status: 503, body: { error: 'backend' } })
    await admin(simulator, 'PUT', '/faults', { fcm: { oauth: null } })
    expect(await grant(client, assertion(simulator.credentials))).toMatchObject({ status: 200 })
  })
})
