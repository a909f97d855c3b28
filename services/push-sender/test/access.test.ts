import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDevice, apnsToken, get, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
/** A message of the tenant for all apps, one for its first app and one for its second. */
let ids: { all: string; first: string; second: string }
beforeAll(async () => {
  sender = await startTestSender()
  const { tenant, other, database } = sender
  const accept = async (app_id?: string) => {
    const response = await post(sender, { to: { person_id: 'anna' }, content: {}, app_id })
    return response.json().id
  }
  const devices = await Promise.all(
    tenant.apps.map((app, index) =>
      addDevice(sender, { app, personId: 'anna', token: apnsToken(index) }),
    ),
  )
  await addDevice(sender, { app: other.apps[0], personId: 'bert', token: apnsToken(9) })
  ids = {
    all: await accept(),
    first: await accept(tenant.apps[0].id),
    second: await accept(tenant.apps[1].id),
  }
  for (const { deviceNo, personNo } of devices) {
    await database.query(
      `insert into deliveries (message_no, device_no, person_no, at, status, attempts)
       select message_no, $2, $3, now(), 1, 1 from messages where id = $1`,
      [ids.all, deviceNo, personNo],
    )
  }
})
afterAll(() => sender[Symbol.asyncDispose]())

function routes(): { method: 'GET' | 'POST'; url: string }[] {
  const app = `/v1/apps/${sender.tenant.apps[0].id}`
  return [
    { method: 'GET', url: app },
    { method: 'POST', url: `${app}/providers/apns/resume` },
    { method: 'POST', url: `${app}/providers/apns/bounces` },
    { method: 'POST', url: '/v1/messages' },
    { method: 'GET', url: '/v1/messages' },
    { method: 'GET', url: `/v1/messages/${ids.all}` },
    { method: 'POST', url: `/v1/messages/${ids.all}/release` },
    { method: 'GET', url: `/v1/messages/${ids.all}/deliveries` },
    { method: 'POST', url: `/v1/messages/${ids.all}/cancel` },
    { method: 'GET', url: '/v1/people/anna/deliveries' },
    { method: 'GET', url: '/v1/people/anna/export' },
  ]
}

test('every route of the API is covered here', async () => {
  const described = (await sender.app.inject({ url: '/openapi.json' })).json()
  const paths: Record<string, object> = described.paths
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
  expect(operations).toHaveLength(routes().length)
})

test('401 without a key or with one that nobody has, on every route', async () => {
  for (const route of routes()) {
    for (const authorization of [
      undefined,
      'Bearer sk_0123456789abcdef',
      'Bearer x',
      'Basic eDp5',
    ]) {
      const response = await sender.app.inject({
        ...route,
        headers: authorization === undefined ? {} : { authorization },
      })
      expect(response.statusCode).toBe(401)
      expect(response.headers['www-authenticate']).toContain('Bearer')
      expect(response.json()).toMatchObject({ code: 'unauthorized' })
    }
  }
})

test('403 with a public key, on every route', async () => {
  for (const route of routes()) {
    const headers = { authorization: `Bearer ${sender.tenant.public}` }
    const response = await sender.app.inject({ ...route, headers })
    expect(response.statusCode).toBe(403)
  }
})

test('another workspace finds nothing: not the message, its deliveries or the person', async () => {
  for (const id of Object.values(ids)) {
    for (const url of [`/v1/messages/${id}`, `/v1/messages/${id}/deliveries`]) {
      expect((await get(sender, url)).statusCode).toBe(200)
      expect((await get(sender, url, sender.other.secret)).statusCode).toBe(404)
    }
  }
  const deliveries = '/v1/people/anna/deliveries'
  expect((await get(sender, deliveries)).json().deliveries).toHaveLength(2)
  expect((await get(sender, deliveries, sender.other.secret)).statusCode).toBe(404)
  expect((await get(sender, '/v1/people/bert/deliveries')).statusCode).toBe(404)
})

test("a message reaches no person and no token of another workspace, whoever's id it names", async () => {
  for (const to of [{ person_id: 'bert' }, { token: apnsToken(9) }]) {
    const { id } = (await post(sender, { to, content: {} })).json()
    expect((await get(sender, `/v1/messages/${id}`)).json().counts.recipients).toBe(0)
  }
})

test('a key of one app sees the messages for that app and the deliveries to it', async () => {
  const { appSecret } = sender.tenant
  const status = async (id: string) =>
    (await get(sender, `/v1/messages/${id}`, appSecret)).statusCode
  expect(await status(ids.first)).toBe(200)
  expect(await status(ids.second)).toBe(404)
  expect(await status(ids.all)).toBe(404)
  const deliveries = `/v1/messages/${ids.all}/deliveries`
  expect((await get(sender, deliveries, appSecret)).statusCode).toBe(404)
  const person = await get(sender, '/v1/people/anna/deliveries', appSecret)
  expect(person.json().deliveries).toMatchObject([{ device: apnsToken(0) }])
})

test('a revoked key ends with its cache', async () => {
  const { database, tenant } = sender
  await database.query('update api_keys set revoked_at = now() where workspace_no = $1', [
    tenant.workspaceNo,
  ])
  await expect
    .poll(async () => (await get(sender, '/v1/people/anna/deliveries')).statusCode, {
      timeout: 10_000,
      interval: 500,
    })
    .toBe(401)
})
