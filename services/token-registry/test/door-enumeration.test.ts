import { createApp, createKey, setIdentityMode } from '@pushkeep/store'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCustomerio } from './customerio.ts'
import { newSigner, sign, trust } from './identity.ts'
import { randomToken } from './registry.ts'

/** `mixed`: another app of the workspace requires identity tokens. */
const kinds = ['off', 'log', 'required', 'mixed'] as const

async function registryOf(kind: (typeof kinds)[number]) {
  const cio = await createCustomerio()
  if (kind !== 'mixed') await setIdentityMode(cio.database, cio.appNo, kind)
  else {
    const { appNo } = await createApp(cio.database, cio.workspaceNo, 'strict')
    await setIdentityMode(cio.database, appNo, 'required')
  }
  const [id, email, token] = ['known', 'known@example.com', randomToken()]
  await cio.call('PUT', `/v1/people/${id}`, { attributes: { email } })
  await cio.call('PUT', `/v1/devices/${token}`, {
    platform: 'ios',
    person_id: id,
    app_id: cio.appId,
  })
  const { rows } = await cio.database.query<{ no: string }>(
    `select lpad(to_hex(person_no), 8, '0') as no from people where id = 'known'`,
  )
  return { ...cio, known: { id, email, token, cio: `cio_${rows[0]?.no}` } }
}

const registries = {
  off: await registryOf('off'),
  log: await registryOf('log'),
  required: await registryOf('required'),
  mixed: await registryOf('mixed'),
}

interface Names {
  id: string
  email: string
  token: string
  cio: string
}

const device = () => ({ id: randomToken(), platform: 'ios' })

/** Method, path, body: each names a person or a device in some way. */
const calls: Record<
  string,
  (names: Names) => ['PUT' | 'POST' | 'DELETE' | 'GET', string, object?]
> = {
  'PUT person': ({ id }) => ['PUT', `/v1/people/${id}`, {}],
  'PUT person by address': ({ email }) => ['PUT', `/v1/people/${email}`, {}],
  'PUT device': ({ token }) => ['PUT', `/v1/devices/${token}`, { platform: 'ios' }],
  'PUT device of person': ({ id }) => ['PUT', `/v1/people/${id}/devices`, { device: device() }],
  'POST event': ({ id }) => ['POST', `/v1/people/${id}/events`, { name: 'x' }],
  'GET own': ({ token }) => ['GET', `/v1/devices/${token}/own`],
  'DELETE device': ({ token }) => ['DELETE', `/v1/devices/${token}`],
  'DELETE device of person': ({ id, token }) => ['DELETE', `/v1/people/${id}/devices/${token}`],
  'clear-identify': ({ token }) => ['POST', `/v1/devices/${token}/clear-identify`],
  'Track: identify': ({ id }) => ['PUT', `/api/v1/customers/${id}`, {}],
  'Track: identify by address': ({ email }) => ['PUT', `/api/v1/customers/${email}`, {}],
  'Track: address with an id': ({ email }) => [
    'PUT',
    `/api/v1/customers/${email}`,
    { id: 'guess' },
  ],
  'Track: address with its id': ({ email, id }) => ['PUT', `/api/v1/customers/${email}`, { id }],
  'Track: identify by number': ({ cio }) => ['PUT', `/api/v1/customers/${cio}`, {}],
  'Track: number with an id': ({ cio, id }) => ['PUT', `/api/v1/customers/${cio}`, { id }],
  'Track: event by number': ({ cio }) => ['POST', `/api/v1/customers/${cio}/events`, { name: 'x' }],
  'Track: event by address': ({ email }) => [
    'POST',
    `/api/v1/customers/${email}/events`,
    { name: 'x' },
  ],
  'Track: device by number': ({ cio }) => [
    'PUT',
    `/api/v1/customers/${cio}/devices`,
    { device: device() },
  ],
  'Track: device by address': ({ email }) => [
    'PUT',
    `/api/v1/customers/${email}/devices`,
    { device: device() },
  ],
  'Track: delete by number': ({ cio, token }) => [
    'DELETE',
    `/api/v1/customers/${cio}/devices/${token}`,
  ],
  'Track: delete by address': ({ email, token }) => [
    'DELETE',
    `/api/v1/customers/${email}/devices/${token}`,
  ],
  'Track v2: number': ({ cio }) => [
    'POST',
    '/api/v2/entity',
    { type: 'person', action: 'identify', identifiers: { cio_id: cio.slice(4) }, attributes: {} },
  ],
  'Track v2: address': ({ email }) => [
    'POST',
    '/api/v2/batch',
    { batch: [{ type: 'person', action: 'event', identifiers: { email }, name: 'x' }] },
  ],
  'Pipelines: number': ({ cio }) => ['POST', '/v1/track', { userId: cio, event: 'x' }],
  'Pipelines: address': ({ email }) => ['POST', '/v1/track', { userId: email, event: 'x' }],
  'Pipelines: identify by address': ({ email }) => ['POST', '/v1/identify', { traits: { email } }],
}

const strict = { headers: { 'x-strict-mode': '1' } }

describe.each(kinds)('mode %s', (kind) => {
  let cio = registries.off
  beforeAll(() => {
    cio = registries[kind]
  })

  test.each(Object.entries(calls))('%s: one answer, known or not', async (_name, call) => {
    const unknown = {
      id: 'nobody',
      email: 'nobody@example.com',
      token: randomToken(),
      cio: 'cio_0fffffff',
    }
    const [known, none] = [call(cio.known), call(unknown)]
    const ask = ([method, path, body]: ReturnType<typeof call>) =>
      cio.call(method, path, body, { key: cio.publicKey, ...strict })
    const [one, other] = [await ask(known), await ask(none)]
    expect({ status: one.status, body: one.body }).toEqual({
      status: other.status,
      body: other.body,
    })
  })
})

test('an app that asks for nothing does not open the people of one that requires tokens', async () => {
  const cio = registries.mixed
  const asApp = { key: cio.publicKey }
  const registered = await cio.call('PUT', '/v1/people/known/devices', { device: device() }, asApp)
  expect(registered).toMatchObject({ status: 403, body: { code: 'identity_token_missing' } })
  const changed = await cio.call('PUT', '/v1/people/known', { attributes: { plan: 'x' } }, asApp)
  expect(changed.status).toBe(403)
  const token = randomToken()
  expect((await cio.call('PUT', `/v1/devices/${token}`, { platform: 'ios' }, asApp)).status).toBe(
    200,
  )
})

test('a token of the app that requires them opens the way for its person alone', async () => {
  const cio = await createCustomerio()
  const { appNo } = await createApp(cio.database, cio.workspaceNo, 'strict')
  await setIdentityMode(cio.database, appNo, 'required')
  const signer = newSigner('ES256', 'key')
  await trust(cio.database, appNo, signer)
  const headers = { 'x-identity-token': await sign(signer, { sub: 'ann' }) }
  const asAnn = { key: cio.publicKey, headers }
  expect((await cio.call('PUT', '/v1/people/ann', {}, asAnn)).status).toBe(200)
  expect((await cio.call('PUT', '/v1/people/ben', {}, asAnn)).status).toBe(403)
})

test('a key for several apps is not told that several of them know a token', async () => {
  const cio = await createCustomerio()
  const other = await createApp(cio.database, cio.workspaceNo, 'other')
  const { key } = await createKey(cio.database, {
    workspaceNo: cio.workspaceNo,
    appNo: null,
    kind: 'public',
    name: 'all',
  })
  const token = randomToken()
  for (const app_id of [cio.appId, other.id]) {
    await cio.call('PUT', `/v1/devices/${token}`, { platform: 'ios', app_id })
  }
  for (const [method, path] of [
    ['DELETE', ''],
    ['POST', '/clear-identify'],
  ] as const) {
    const known = await cio.call(method, `/v1/devices/${token}${path}`, undefined, { key })
    const none = await cio.call(method, `/v1/devices/${randomToken()}${path}`, undefined, { key })
    expect({ status: known.status, body: known.body }).toEqual({
      status: none.status,
      body: none.body,
    })
  }
})
