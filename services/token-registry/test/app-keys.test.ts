import { createApp, createKey } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
/** A secret key for the first of two apps. */
let appKey: string
let second: { appNo: number; id: string }

/** What only the second app knows; the first app's key must never be told. */
const secondToken = randomToken()
const secondMark = 'known-to-the-second-app'

const firstToken = randomToken()
const sharedToken = randomToken()

beforeAll(async () => {
  registry = await createRegistry()
  const { workspaceNo, appNo, database } = registry
  second = await createApp(database, workspaceNo, 'second')
  const key = { workspaceNo, appNo, kind: 'secret', name: 'first', role: 'admin' } as const
  appKey = (await createKey(database, key)).key
  await registry.call('PUT', '/v1/people/anna', { attributes: { plan: 'pro' } })
  const attributes = { mark: secondMark }
  for (const [token, app_id] of [
    [firstToken, registry.appId],
    [sharedToken, registry.appId],
    [sharedToken, second.id],
    [secondToken, second.id],
  ] as const) {
    const device = { platform: 'ios', app_id, person_id: 'anna' }
    const own = app_id === second.id ? { attributes, installation_id: 'one-installation' } : {}
    await registry.call('PUT', `/v1/devices/${token}`, { ...device, ...own })
  }
})

afterAll(() => registry[Symbol.asyncDispose]())

async function secondApp() {
  const { rows } = await registry.database.query(
    `select d.*, p.id as person from devices d left join people p using (person_no)
     where d.app_no = $1 order by d.device_no`,
    [second.appNo],
  )
  return rows
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
type Case = [route: string, url: string, status: number, body?: object]

const device = (token: string) => `/v1/devices/${token}`
const ios = { platform: 'ios' }

// Each route with what belongs to the second app and with what both have. 403: it reaches both.
const native: Case[] = [
  ['PUT /v1/people/{id}', '/v1/people/anna', 200, { attributes: { seen: 1 } }],
  ['GET /v1/people/{id}', '/v1/people/anna', 200],
  ['DELETE /v1/people/{id}', '/v1/people/anna', 403],
  ['POST /v1/people/{id}/suppress', '/v1/people/anna/suppress', 403],
  ['POST /v1/people/{id}/suppress', '/v1/people/anna/suppress', 403, { erase: true }],
  ['POST /v1/people/{id}/suppress', '/v1/people/nobody/suppress', 403],
  ['POST /v1/people/{id}/unsuppress', '/v1/people/anna/unsuppress', 403],
  ['POST /v1/people/{id}/events', '/v1/people/anna/events', 200, { name: 'seen' }],
  ['GET /v1/people/{id}/events', '/v1/people/anna/events', 200],
  [
    'PUT /v1/people/{id}/devices',
    '/v1/people/anna/devices',
    200,
    { device: { id: sharedToken, ...ios } },
  ],
  [
    'PUT /v1/people/{id}/devices',
    '/v1/people/anna/devices',
    200,
    { device: { id: randomToken(), previous_token: secondToken, ...ios } },
  ],
  ['DELETE /v1/people/{id}/devices/{token}', `/v1/people/anna/devices/${secondToken}`, 404],
  [
    'PUT /v1/devices/{token}',
    device(sharedToken),
    200,
    { ...ios, installation_id: 'one-installation' },
  ],
  ['PUT /v1/devices/{token}', device(sharedToken), 200, { ...ios, person_id: 'bert' }],
  ['GET /v1/devices/{token}', device(secondToken), 404],
  ['GET /v1/devices/{token}', device(sharedToken), 200],
  ['GET /v1/devices/{token}/own', `${device(secondToken)}/own`, 404],
  ['GET /v1/devices/{token}/timeline', `${device(secondToken)}/timeline`, 404],
  ['GET /v1/devices/{token}/timeline', `${device(sharedToken)}/timeline`, 200],
  ['POST /v1/devices/{token}/clear-identify', `${device(secondToken)}/clear-identify`, 404],
  ['POST /v1/devices/{token}/clear-identify', `${device(sharedToken)}/clear-identify`, 200],
  ['DELETE /v1/devices/{token}', device(secondToken), 404],
  ['DELETE /v1/devices/{token}', device(sharedToken), 204],
  [
    'POST /v1/receipts',
    '/v1/receipts',
    200,
    { receipts: [{ message_id: crypto.randomUUID(), token: secondToken, event: 'opened' }] },
  ],
]

const customers = '/api/v1/customers/anna'
const anna = { identifiers: { id: 'anna' }, type: 'person' }

// 200 of a deletion there says nothing: what stands is looked at.
const dialects: Case[] = [
  ['PUT track customers', customers, 200, { seen: 2 }],
  ['DELETE track customers', customers, 403],
  ['POST track suppress', `${customers}/suppress`, 403],
  ['POST track unsuppress', `${customers}/unsuppress`, 403],
  ['PUT track devices', `${customers}/devices`, 200, { device: { id: sharedToken, ...ios } }],
  ['DELETE track devices', `${customers}/devices/${secondToken}`, 200],
  ['POST track events', `${customers}/events`, 200, { name: 'seen' }],
  [
    'POST track merge',
    '/api/v1/merge_customers',
    403,
    { primary: { id: 'bert' }, secondary: { id: 'anna' } },
  ],
  ['POST v2 delete', '/api/v2/entity', 403, { ...anna, action: 'delete' }],
  ['POST v2 suppress', '/api/v2/entity', 403, { ...anna, action: 'suppress' }],
  ['POST v2 unsuppress', '/api/v2/entity', 403, { ...anna, action: 'unsuppress' }],
  [
    'POST v2 merge',
    '/api/v2/entity',
    403,
    { type: 'person', action: 'merge', primary: { id: 'bert' }, secondary: { id: 'anna' } },
  ],
  [
    'POST v2 delete_device',
    '/api/v2/entity',
    200,
    { ...anna, action: 'delete_device', device: { token: secondToken } },
  ],
  ['POST v2 batch', '/api/v2/batch', 207, { batch: [{ ...anna, action: 'delete' }] }],
  [
    'POST pipelines batch',
    '/v1/batch',
    400,
    { batch: [{ type: 'track', event: 'User Deleted', userId: 'anna', messageId: 'del' }] },
  ],
  [
    'POST pipelines track',
    '/v1/track',
    403,
    { event: 'User Suppressed', userId: 'anna', messageId: 'sup' },
  ],
]

test.each([...native, ...dialects])(
  'a key of one app reads and changes nothing of another: %s %s',
  async (route, url, status, body) => {
    const before = await secondApp()
    expect(before).toHaveLength(2)
    const method = route.split(' ')[0] as Method
    const answer = await registry.call(method, url, body, { key: appKey })
    const text = JSON.stringify(answer.body)
    expect(answer.status, text).toBe(status)
    if (status === 403) expect(text).toMatch(/workspace_key_needed|key of the workspace/)
    expect(text).not.toContain(secondToken)
    expect(text).not.toContain(secondMark)
    expect(await secondApp()).toEqual(before)
    const person = (await registry.call('GET', '/v1/people/anna')).body
    expect(person).toMatchObject({ suppressed: false, blocked: false, attributes: { plan: 'pro' } })
    expect(JSON.stringify(person)).toContain(secondToken)
  },
)

test('every route of the description is in the table', async () => {
  const { body } = await registry.call('GET', '/openapi.json')
  const routes = Object.entries<object>(body.paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
  expect(routes.length).toBeGreaterThan(10)
  expect([...new Set(native.map(([route]) => route))].sort()).toEqual(routes.sort())
})

test('an app key reads the devices of its app with the person; a key of the workspace reads all', async () => {
  const token = randomToken()
  await registry.call('PUT', '/v1/people/carl/devices', {
    device: { id: token, app_id: registry.appId, ...ios },
  })
  await registry.call('PUT', '/v1/people/carl/devices', {
    device: { id: token, app_id: second.id, ...ios },
  })
  const appsSeen = async (key: string) => {
    const { body } = await registry.call('GET', '/v1/people/carl', undefined, { key })
    return body.devices.map((one: { app_id: string }) => one.app_id).sort()
  }
  expect(await appsSeen(appKey)).toEqual([registry.appId])
  expect(await appsSeen(registry.secretKey)).toEqual([registry.appId, second.id].sort())
})

test('only a key of the workspace gives a person another id', async () => {
  const { rows } = await registry.database.query<{ cio: string }>(
    `select lpad(to_hex(person_no), 8, '0') as cio from people where id = 'anna'`,
  )
  const rename = (key: string) =>
    registry.call('PUT', `/api/v1/customers/cio_${rows[0]?.cio}`, { id: 'anna-2' }, { key })
  expect((await rename(appKey)).status).toBe(403)
  expect((await registry.call('GET', '/v1/people/anna')).status).toBe(200)
  expect((await rename(registry.secretKey)).status).toBe(200)
  expect((await registry.call('GET', '/v1/people/anna-2')).status).toBe(200)
})
