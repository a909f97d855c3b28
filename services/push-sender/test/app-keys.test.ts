import { deliveryIdOf } from '@pushkeep/domain'
import { createPartitions } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from './console.ts'
import { addDevice, apnsToken, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender

// Of the tenant's two apps, what only the second knows: a key of the first must never be told.
const secondToken = apnsToken(2)
const secondTitle = 'said-to-the-second-app'
const firstTitle = 'said-to-the-first-app'

let ids: { first: string; second: string; all: string }
/** Appears in the URL for the message of the second app. */
const places: Record<string, string> = {}

beforeAll(async () => {
  sender = await startTestSender()
  const { tenant, database } = sender
  await createPartitions(database, Date.now())
  const [first, second] = tenant.apps
  const devices = [
    await addDevice(sender, { app: first, personId: 'anna', token: apnsToken(1) }),
    await addDevice(sender, { app: second, personId: 'anna', token: secondToken }),
  ]
  const accept = async (title: string, app_id?: string) => {
    const message = { to: { person_id: 'anna' }, content: { title }, app_id }
    return (await post(sender, message)).json().id as string
  }
  ids = {
    first: await accept(firstTitle, first.id),
    second: await accept(secondTitle, second.id),
    all: await accept('said-to-both'),
  }
  const sent: [string, number][] = [
    [ids.first, 0],
    [ids.second, 1],
    [ids.all, 0],
    [ids.all, 1],
  ]
  for (const [id, n] of sent) {
    await database.query(
      `insert into deliveries (message_no, device_no, person_no, at, status, attempts)
       select message_no, $2, $3, now(), 1, 1 from messages where id = $1`,
      [id, devices[n]?.deviceNo, devices[n]?.personNo],
    )
  }
  Object.assign(places, {
    '{first}': first.id,
    '{second}': second.id,
    '{message}': ids.second,
    '{all}': ids.all,
    '{delivery}': deliveryIdOf(ids.second),
    '{fingerprint}': await fingerprintOf(secondToken),
  })
})
afterAll(() => sender[Symbol.asyncDispose]())

async function fingerprintOf(token: string): Promise<string> {
  const { rows } = await sender.database.query<{ hash: string }>(
    `select replace(token_hash::text, '-', '') as hash from devices where token = $1`,
    [token],
  )
  return rows[0]?.hash ?? ''
}

/** The second app and its messages, as they stand. */
async function secondApp() {
  const { database, tenant } = sender
  const appNo = tenant.apps[1].appNo
  const tables = ['devices', 'messages', 'app_providers'].map(async (table) => {
    const { rows } = await database.query(
      `select to_jsonb(t) as row from ${table} t where app_no = $1 order by 1`,
      [appNo],
    )
    return rows
  })
  return Promise.all(tables)
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
type Case = [route: string, url: string, status: number, body?: object]

const toAnna = { to: { person_id: 'anna' }, content: { title: firstTitle } }
const push = { identifiers: { id: 'anna' }, title: firstTitle, message: 'hello' }
const cio = '/customerio/v1'

const cases: Case[] = [
  ['GET /v1/apps/{id}', '/v1/apps/{first}', 200],
  ['GET /v1/apps/{id}', '/v1/apps/{second}', 404],
  [
    'POST /v1/apps/{id}/providers/{provider}/resume',
    '/v1/apps/{second}/providers/apns/resume',
    404,
  ],
  [
    'POST /v1/apps/{id}/providers/{provider}/bounces',
    '/v1/apps/{second}/providers/apns/bounces',
    404,
    { decision: 'keep' },
  ],
  ['POST /v1/messages', '/v1/messages', 202, toAnna],
  ['POST /v1/messages', '/v1/messages', 202, { ...toAnna, to: { token: secondToken } }],
  ['GET /v1/messages', '/v1/messages', 200],
  ['GET /v1/messages/{id}', '/v1/messages/{message}', 404],
  ['GET /v1/messages/{id}', '/v1/messages/{all}', 404],
  ['POST /v1/messages/{id}/cancel', '/v1/messages/{message}/cancel', 404],
  ['POST /v1/messages/{id}/release', '/v1/messages/{message}/release', 404],
  ['GET /v1/messages/{id}/deliveries', '/v1/messages/{message}/deliveries', 404],
  ['GET /v1/people/{id}/deliveries', '/v1/people/anna/deliveries', 200],
  ['GET /v1/people/{id}/export', '/v1/people/anna/export', 200],
  [`POST ${cio}/send/push`, `${cio}/send/push`, 200, push],
  [`POST ${cio}/send/push`, `${cio}/send/push`, 200, { ...push, to: secondToken }],
  [`GET ${cio}/customers/{id}/attributes`, `${cio}/customers/anna/attributes`, 200],
  [`POST ${cio}/customers/attributes`, `${cio}/customers/attributes`, 200, { ids: ['anna'] }],
  [`GET ${cio}/customers`, `${cio}/customers?email=anna@example.com`, 200],
  [`GET ${cio}/customers/{id}/segments`, `${cio}/customers/anna/segments`, 200],
  [`GET ${cio}/customers/{id}/activities`, `${cio}/customers/anna/activities`, 200],
  [`GET ${cio}/customers/{id}/messages`, `${cio}/customers/anna/messages`, 200],
  [`GET ${cio}/messages/{delivery_id}`, `${cio}/messages/{delivery}`, 404],
  [`GET ${cio}/messages`, `${cio}/messages`, 200],
]

const url = (text: string) => text.replace(/\{\w+\}/g, (name) => places[name] ?? name)

/** Nothing of what only the second app knows, in whatever form. */
function expectNothingOfSecond(text: string) {
  for (const secret of [secondToken, secondTitle, ids.second, deliveryIdOf(ids.second)]) {
    expect(text).not.toContain(secret)
  }
}

test.each(cases)(
  'a key of one app reads and changes nothing of another: %s %s',
  async (route, at, status, body) => {
    const before = await secondApp()
    const answer = await sender.app.inject({
      method: route.split(' ')[0] as Method,
      url: url(at),
      headers: { authorization: `Bearer ${sender.tenant.appSecret}` },
      ...(body && { payload: body }),
    })
    expect(answer.statusCode, answer.body).toBe(status)
    expectNothingOfSecond(answer.body)
    expect(await secondApp()).toEqual(before)
  },
)

test('every route of the description is in the table', async () => {
  const described = (await sender.app.inject({ url: '/openapi.json' })).json()
  const routes = Object.entries<object>(described.paths)
    .filter(([path]) => /^\/(v1|customerio)\//.test(path))
    .flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
  expect(routes.length).toBeGreaterThan(10)
  expect([...new Set(cases.map(([route]) => route))].sort()).toEqual(routes.sort())
})

test("the messages of a person are those that went to the key's app", async () => {
  const titles = async (key: string) => {
    const headers = { authorization: `Bearer ${key}` }
    const answer = await sender.app.inject({ url: `${cio}/customers/anna/messages`, headers })
    return answer.json().messages.map((message: { subject: string }) => message.subject)
  }
  expect(await titles(sender.tenant.appSecret)).toEqual(['said-to-both', firstTitle])
  expect(await titles(sender.tenant.secret)).toEqual(['said-to-both', secondTitle, firstTitle])
})

test("a repeated call of one app is no repeat of another app's call", async () => {
  const body = { identifiers: { id: 'anna' }, title: 'the same words', message: 'twice' }
  const send = async (key: string, headers: Record<string, string> = {}) => {
    const answer = await sender.app.inject({
      method: 'POST',
      url: `${cio}/send/push`,
      headers: { authorization: `Bearer ${key}`, ...headers },
      payload: body,
    })
    return answer.json().delivery_id as string
  }
  const retried = { 'x-retry-count': '1' }
  const first = await send(sender.tenant.secret)
  const other = await send(sender.tenant.appSecret, retried)
  expect(other).not.toBe(first)
  expect(await send(sender.tenant.appSecret, retried)).toBe(other)
  expect(await send(sender.tenant.secret, retried)).toBe(first)
})

const ops = '/ops/api'
const console: Case[] = [
  ['GET', `${ops}/overview`, 200],
  ['GET', `${ops}/messages`, 200],
  ['GET', `${ops}/messages/{message}`, 404],
  ['GET', `${ops}/messages/{message}/deliveries`, 404],
  ['POST', `${ops}/messages/{message}/cancel`, 404],
  ['GET', `${ops}/live/messages/{message}`, 404],
  ['POST', `${ops}/people/search`, 200, { text: secondToken }],
  ['POST', `${ops}/people/search`, 200, { text: 'anna' }],
  ['GET', `${ops}/people/anna`, 200],
  ['GET', `${ops}/people/anna/why/{message}`, 404],
  ['POST', `${ops}/people/anna/suppress`, 403],
  ['POST', `${ops}/people/anna/unsuppress`, 403],
  ['GET', `${ops}/apps/{second}/devices/{fingerprint}/timeline`, 404],
  ['GET', `${ops}/apps/{first}/devices/{fingerprint}/timeline`, 404],
  [
    'POST',
    `${ops}/apps/{second}/devices/{fingerprint}/test`,
    404,
    { title: 'x', body: '', person_id: 'anna' },
  ],
  ['GET', `${ops}/apps`, 200],
  ['POST', `${ops}/apps`, 403, { name: 'third' }],
  ['POST', `${ops}/apps/{second}/providers/apns/resume`, 404, { bounces: 'keep' }],
  ['POST', `${ops}/apps/{second}/providers/apns/bounces`, 404, { decision: 'keep' }],
  ['POST', `${ops}/apps/{second}/providers/apns/check`, 404],
  ['GET', `${ops}/keys`, 200],
  ['POST', `${ops}/keys`, 422, { name: 'x', kind: 'secret', role: 'read', app_id: null }],
  ['GET', `${ops}/audit`, 200],
]

test('a console session of an app key shows and changes nothing of another app', async () => {
  const { tenant } = sender
  const browser = await openBrowser(sender, 'admin', { appNo: tenant.apps[0].appNo })
  const fingerprint = await fingerprintOf(secondToken)
  for (const [method, at, status, body] of console) {
    const before = await secondApp()
    const answer = await browser.call(method as Method, url(at), body)
    expect(answer.statusCode, `${method} ${at} ${answer.body}`).toBe(status)
    expectNothingOfSecond(answer.body)
    expect(answer.body).not.toContain(fingerprint)
    expect(answer.body).not.toContain(tenant.apps[1].id)
    expect(await secondApp()).toEqual(before)
  }
  const person = await sender.database.query(`select suppressed_at from people where id = 'anna'`)
  expect(person.rows).toEqual([{ suppressed_at: null }])
})
