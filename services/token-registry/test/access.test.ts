import { createKey, revokeKey } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
let call: typeof registry.call
const token = randomToken()

beforeAll(async () => {
  registry = await createRegistry()
  call = registry.call
  const attributes = { known: true }
  await call('PUT', '/v1/people/known', { attributes })
  await call('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: 'known', attributes })
})

afterAll(() => registry[Symbol.asyncDispose]())

const device = { platform: 'ios' }

type Route = ['GET' | 'PUT' | 'POST' | 'DELETE', (token: string, person: string) => string, object?]

const secretRoutes: Route[] = [
  ['GET', (_, person) => `/v1/people/${person}`],
  ['DELETE', (_, person) => `/v1/people/${person}`],
  ['POST', (_, person) => `/v1/people/${person}/suppress`],
  ['POST', (_, person) => `/v1/people/${person}/unsuppress`],
  ['GET', (_, person) => `/v1/people/${person}/events`],
  ['GET', (token) => `/v1/devices/${token}`],
  ['GET', (token) => `/v1/devices/${token}/timeline`],
]

const publicRoutes: Route[] = [
  ['PUT', (_, person) => `/v1/people/${person}`, {}],
  ['POST', (_, person) => `/v1/people/${person}/events`, { name: 'seen' }],
  ['PUT', (_, person) => `/v1/people/${person}/devices`, { device: { id: token, ...device } }],
  ['PUT', (token) => `/v1/devices/${token}`, device],
  ['POST', (token) => `/v1/devices/${token}/clear-identify`],
  ['DELETE', (token, person) => `/v1/people/${person}/devices/${token}`],
  ['DELETE', (token) => `/v1/devices/${token}`],
]

const receiptRoute: Route = ['POST', () => '/v1/receipts', { receipts: [{}] }]

test.each([...secretRoutes, ...publicRoutes, receiptRoute])(
  '401 without a valid key: %s %s',
  async (...route) => {
    const [method, url, body] = route
    for (const key of [null, `sk_${'x'.repeat(43)}`, 'nonsense']) {
      const { status, headers } = await call(method, url(token, 'known'), body, { key })
      expect(status).toBe(401)
      expect(headers['www-authenticate']).toContain('Bearer')
    }
  },
)

test.each(secretRoutes)('403 with a public key: %s %s', async (method, url, body) => {
  const key = registry.publicKey
  expect(await call(method, url(token, 'known'), body, { key })).toMatchObject({ status: 403 })
})

test.each(publicRoutes)('a public key learns nothing: %s %s', async (method, url, body) => {
  const key = registry.publicKey
  const known = await call(method, url(token, 'known'), body, { key })
  const unknown = await call(method, url(randomToken(), 'unknown'), body, { key })
  expect([known.status, known.body]).toEqual(method === 'DELETE' ? [204, ''] : [200, {}])
  expect([unknown.status, unknown.body]).toEqual([known.status, known.body])
})

test('another workspace sees and changes nothing', async () => {
  const other = await registry.createWorkspaceWithApp()
  const mine = randomToken()
  await call('PUT', `/v1/devices/${mine}`, { ...device, person_id: 'mine' })
  for (const [method, url] of secretRoutes) {
    if (url('', '').endsWith('/suppress')) continue
    const { status } = await call(method, url(mine, 'mine'), undefined, { key: other.secretKey })
    expect(status).toBe(404)
  }
  const clear = await call('POST', `/v1/devices/${mine}/clear-identify`, undefined, {
    key: other.secretKey,
  })
  expect(clear.status).toBe(404)
  for (const url of [`/v1/devices/${mine}`, `/v1/people/mine/devices/${mine}`]) {
    expect((await call('DELETE', url, undefined, { key: other.secretKey })).status).toBe(404)
  }
  // The same token and person there are others.
  await call(
    'PUT',
    `/v1/devices/${mine}`,
    { ...device, person_id: 'mine' },
    { key: other.secretKey },
  )
  await call('DELETE', '/v1/people/mine', undefined, { key: other.secretKey })
  expect((await call('GET', `/v1/devices/${mine}`)).body).toMatchObject({ person_id: 'mine' })
})

test('Basic authentication takes the key as user name or password', async () => {
  for (const pair of [`${registry.secretKey}:`, `site:${registry.secretKey}`]) {
    const headers = { authorization: `Basic ${btoa(pair)}` }
    expect((await call('GET', '/v1/people/known', undefined, { key: null, headers })).status).toBe(
      200,
    )
  }
})

test('a revoked key is not accepted', async () => {
  const { workspaceNo, database } = registry
  const created = await createKey(database, { workspaceNo, appNo: null, kind: 'secret', name: 'x' })
  await revokeKey(database, { workspaceNo, id: created.id })
  expect((await call('GET', '/v1/people/known', undefined, { key: created.key })).status).toBe(401)
})

test('no token, key, person or attribute was logged, and no URL', () => {
  const log = registry.lines.join('')
  expect(log).toContain('"route":"/v1/devices/:token"')
  for (const word of [token, registry.secretKey, registry.publicKey, 'known', 'nonsense']) {
    expect(log).not.toContain(word)
  }
})

test('every route is described', async () => {
  const { body } = await call('GET', '/openapi.json')
  for (const [path, operations] of Object.entries<Record<string, object>>(body.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      expect(operation, `${method} ${path}`).toMatchObject({
        summary: expect.any(String),
        description: expect.any(String),
      })
    }
  }
  expect(Object.keys(body.paths).length).toBeGreaterThan(10)
  const { put } = body.paths['/v1/devices/{token}']
  expect(put.requestBody.required).toBe(true)
  const { properties } = put.requestBody.content['application/json'].schema
  expect(properties.timestamp.anyOf).toHaveLength(2)
  expect(body.paths['/v1/people/{id}'].put.requestBody.required).toBe(false)
})
