import { createApp, createKey, setIdentityMode } from '@pushkeep/store'
import { describe, expect, test } from 'vitest'
import { createCustomerio } from './customerio.ts'
import { newSigner, sign, trust } from './identity.ts'
import { randomToken } from './registry.ts'

/** An app that asks for nothing, beside one that requires identity tokens, and one that logs. */
const lax = await createCustomerio()
const signer = newSigner('ES256', 'key')
const strict = await createApp(lax.database, lax.workspaceNo, 'strict', 'required')
await trust(lax.database, strict.appNo, signer)
const logs = await createApp(lax.database, lax.workspaceNo, 'logs', 'log')

const publicKey = async (appNo: number | null) =>
  (
    await createKey(lax.database, {
      workspaceNo: lax.workspaceNo,
      appNo,
      kind: 'public',
      name: 'test',
    })
  ).key

const keys = {
  'the app that is off': lax.publicKey,
  'the app that logs': await publicKey(logs.appNo),
  'the whole workspace': await publicKey(null),
}

await lax.call('PUT', '/v1/people/ann', { attributes: { plan: 'pro', email: 'ann@example.com' } })

type Call = (
  key: string,
  headers?: Record<string, string>,
) => Promise<{ status: number; body: unknown }>

const basicOf = (key: string) => `${lax.appId}:${key}`
const device = () => ({ id: randomToken(), platform: 'ios' })
const entity =
  (body: object): Call =>
  (key, headers = {}) =>
    lax.track(
      'POST',
      '/api/v2/entity',
      { type: 'person', identifiers: { id: 'ann' }, ...body },
      { basic: basicOf(key), headers },
    )
const native =
  (method: 'PUT' | 'POST', path: string, body: () => object): Call =>
  (key, headers = {}) =>
    lax.call(method, path, body(), { key, headers })
const track =
  (method: 'PUT' | 'POST', path: string, body: () => object): Call =>
  (key, headers = {}) =>
    lax.track(method, path, body(), { basic: basicOf(key), headers })
const pipelines =
  (path: string, body: object): Call =>
  (key, headers = {}) =>
    lax.pipelines(path, body, {
      basic: `${key}:`,
      headers: { 'x-strict-mode': '1', ...headers },
    })

/** What touches a person, in every dialect. */
const calls: Record<string, Call> = {
  'PUT person': native('PUT', '/v1/people/ann', () => ({ attributes: { plan: 'pwned' } })),
  'PUT device of person': native('PUT', '/v1/people/ann/devices', () => ({
    device: { ...device(), app_id: lax.appId },
  })),
  'PUT device with person_id': (key, headers = {}) =>
    lax.call(
      'PUT',
      `/v1/devices/${randomToken()}`,
      { platform: 'ios', person_id: 'ann', app_id: lax.appId },
      { key, headers },
    ),
  'POST event': native('POST', '/v1/people/ann/events', () => ({ name: 'x' })),
  'Track v1: identify': track('PUT', '/api/v1/customers/ann', () => ({ plan: 'pwned' })),
  'Track v1: identify by address': track('PUT', '/api/v1/customers/ann@example.com', () => ({
    plan: 'pwned',
  })),
  'Track v1: device': track('PUT', '/api/v1/customers/ann/devices', () => ({ device: device() })),
  'Track v1: event': track('POST', '/api/v1/customers/ann/events', () => ({ name: 'x' })),
  'Track v2: identify': entity({ action: 'identify', attributes: { plan: 'pwned' } }),
  'Track v2: add_device': entity({
    action: 'add_device',
    device: { token: randomToken(), platform: 'ios' },
  }),
  'Track v2: event': entity({ action: 'event', name: 'x' }),
  'Pipelines: identify': pipelines('/v1/identify', { userId: 'ann', traits: { plan: 'pwned' } }),
  'Pipelines: track': pipelines('/v1/track', { userId: 'ann', event: 'x' }),
  'Pipelines: screen': pipelines('/v1/screen', { userId: 'ann', name: 'x' }),
  'Pipelines: alias': pipelines('/v1/alias', { userId: 'ann', previousId: 'anything' }),
}

async function stateOfAnn() {
  const { body } = await lax.call('GET', '/v1/people/ann')
  return {
    attributes: body.attributes,
    devices: body.devices.length,
    events: await lax.eventNames('ann'),
  }
}

describe.each(Object.entries(keys))('the public key of %s', (_whose, key) => {
  test.each(Object.entries(calls))('%s is held to the strictest mode', async (name, call) => {
    const before = await stateOfAnn()
    const foreign = { 'x-identity-token': await sign(signer, { sub: 'mallory' }) }
    for (const headers of [{}, foreign]) {
      const { status } = await call(key, headers)
      // Pipelines answers a mobile SDK 200 whatever became of a message.
      if (!name.startsWith('Pipelines')) expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
    }
    expect(await stateOfAnn()).toEqual(before)
  })
})

test.each(Object.entries(calls).filter(([name]) => !name.includes('address')))(
  '%s goes on with a token of the person, signed for the strict app',
  async (_name, call) => {
    const headers = { 'x-identity-token': await sign(signer, { sub: 'ann' }) }
    expect((await call(lax.publicKey, headers)).status).toBe(200)
  },
)

test('secret keys need none, and another workspace is not held to it', async () => {
  expect((await lax.call('PUT', '/v1/people/ann', {})).status).toBe(200)
  const other = await lax.createWorkspaceWithApp()
  const asApp = { key: other.publicKey }
  expect((await lax.call('PUT', '/v1/people/ann', {}, asApp)).status).toBe(200)
})

test('once no app requires tokens any more, none is asked for', async () => {
  const cio = await createCustomerio()
  const { appNo } = await createApp(cio.database, cio.workspaceNo, 'strict', 'required')
  const asApp = { key: cio.publicKey }
  expect((await cio.call('PUT', '/v1/people/ann', {}, asApp)).status).toBe(403)
  await setIdentityMode(cio.database, appNo, 'off')
  await expect
    .poll(async () => (await cio.call('PUT', '/v1/people/ann', {}, asApp)).status, {
      timeout: 15_000,
      interval: 250,
    })
    .toBe(200)
})
