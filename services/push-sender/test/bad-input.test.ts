import { request } from 'node:http'
import { setSdkKeys } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apnsToken, post, type Sender, startTestSender, storedRows } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
})
afterAll(() => sender[Symbol.asyncDispose]())

const content = { title: 'Hello' }
const all = { all: true }

function message(change: object) {
  return { to: all, content, ...change }
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1) }
}

function deep(part: string, field: string): string {
  const lists = '['.repeat(50_000) + ']'.repeat(50_000)
  return `{"to":{"all":true},"${part}":{"${field}":{"a":${lists}}}}`
}

const tooMany = Array.from({ length: 10_001 }, (_, number) => `p${number}`)

/** What is wrong, the body, and where the answer says that it is. */
const wrong: [name: string, body: unknown, path: string][] = [
  ['no body', '', 'body'],
  ['a list', [], 'body'],
  ['text', '"hello"', 'body'],
  ['null', 'null', 'body'],
  ['no audience', { content }, 'to'],
  ['an empty audience', message({ to: {} }), 'to'],
  ['two audiences', message({ to: { person_ids: ['a'], token: apnsToken(1) } }), 'to'],
  [
    'a token that was used last',
    message({ to: { token: apnsToken(1), devices: 'all' } }),
    'to.devices',
  ],
  ['a time that is none', message({ send_at: 'tomorrow' }), 'send_at'],
  ['all and a list', message({ to: { all: true, person_ids: ['a'] } }), 'to'],
  ['all that is false', message({ to: { all: false } }), 'to.all'],
  ['an unknown audience', message({ to: { segment: 'x' } }), 'to.segment'],
  ['an audience of text', message({ to: 'anna' }), 'to'],
  ['an empty person', message({ to: { person_id: '' } }), 'to.person_id'],
  ['a person that is a number', message({ to: { person_id: 7 } }), 'to.person_id'],
  ['a person with NUL', message({ to: { person_id: 'a\u0000' } }), 'to.person_id'],
  ['a person with half a character', message({ to: { person_id: '\ud800' } }), 'to.person_id'],
  ['a person over 150 bytes', message({ to: { person_id: 'é'.repeat(76) } }), 'to.person_id'],
  ['no people', message({ to: { person_ids: [] } }), 'to.person_ids'],
  ['too many people', message({ to: { person_ids: tooMany } }), 'to.person_ids'],
  ['one bad person', message({ to: { person_ids: ['a', null] } }), 'to.person_ids.1'],
  ['no tokens', message({ to: { tokens: [] } }), 'to.tokens'],
  ['too many tokens', message({ to: { tokens: tooMany } }), 'to.tokens'],
  ['a malformed token', message({ to: { token: 'x y' } }), 'to.token'],
  ['a token with NUL', message({ to: { token: `${apnsToken(1)}\u0000` } }), 'to.token'],
  ['an empty token', message({ to: { token: '' } }), 'to.token'],
  ['a token too long', message({ to: { token: 'a'.repeat(4097) } }), 'to.token'],
  [
    'one malformed token',
    message({ to: { tokens: [apnsToken(1), apnsToken(2), 'fcm_token-3', '<script>'] } }),
    'to.tokens.3',
  ],
  ['nothing to say', { to: all }, 'content'],
  ['content of text', message({ content: 'Hello' }), 'content'],
  ['an unknown field', message({ colour: 'red' }), 'colour'],
  ['an unknown field of the content', message({ content: { subtitle: 'x' } }), 'content.subtitle'],
  ['a title of a number', message({ content: { title: 1 } }), 'content.title'],
  ['a badge of text', message({ content: { badge: '1' } }), 'content.badge'],
  ['a badge below zero', message({ content: { badge: -1 } }), 'content.badge'],
  ['an image that is no URL', message({ content: { image_url: 'x' } }), 'content.image_url'],
  [
    'an image by another protocol',
    message({ content: { image_url: 'file:///etc/passwd' } }),
    'content.image_url',
  ],
  [
    'an image with half a character',
    message({ content: { image_url: 'https://a.b/\ud800' } }),
    'content.image_url',
  ],
  [
    'an image with NUL',
    message({ content: { image_url: 'https://a.b/\u0000' } }),
    'content.image_url',
  ],
  ['data of a list', message({ content: { data: [] } }), 'content.data'],
  ['data with NUL', message({ content: { data: { a: ['\u0000'] } } }), 'content.data.a.0'],
  ['data that nests too deep', message({ content: { data: nested(21) } }), 'content.data.a.a.a'],
  ['data that nests without end', deep('content', 'data'), 'content.data.a.0.0'],
  ['a payload that nests without end', deep('apns', 'payload'), 'apns.payload.a.0.0'],
  [
    'data with a prototype',
    message({ content: { data: { prototype: 1 } } }),
    'content.data.prototype',
  ],
  [
    'data with a huge number',
    '{"to":{"all":true},"content":{"data":{"n":1e400}}}',
    'content.data.n',
  ],
  [
    'data over its limit',
    message({ content: { data: { a: 'x'.repeat(70_000) } } }),
    'content.data',
  ],
  ['an unknown APNs header', message({ apns: { headers: { host: 'x' } } }), 'apns.headers.host'],
  ['an unknown FCM part', message({ fcm: { token: 'x' } }), 'fcm.token'],
  ['an app that is no id', message({ app_id: '1' }), 'app_id'],
  ['a lifetime below zero', message({ ttl_seconds: -1 }), 'ttl_seconds'],
  ['a lifetime over four weeks', message({ ttl_seconds: 28 * 86_400 + 1 }), 'ttl_seconds'],
  ['a lifetime of a fraction', message({ ttl_seconds: 1.5 }), 'ttl_seconds'],
  ['a lifetime of text', message({ ttl_seconds: '60' }), 'ttl_seconds'],
  ['an unknown priority', message({ priority: 'urgent' }), 'priority'],
  ['a collapse id over 64 bytes', message({ collapse_id: 'é'.repeat(33) }), 'collapse_id'],
  ['an empty collapse id', message({ collapse_id: '' }), 'collapse_id'],
  [
    'a header of two lines',
    message({ apns: { headers: { 'apns-priority': '5\napns-topic: x' } } }),
    'apns.headers.apns-priority',
  ],
  ['an unknown choice', message({ on_unknown: 'panic' }), 'on_unknown'],
]

test.each(wrong)('422 names the field and stores nothing: %s', async (_name, body, path) => {
  const response = await post(sender, body, { 'idempotency-key': 'k' })
  expect(response.statusCode).toBe(422)
  expect(response.headers['content-type']).toContain('application/problem+json')
  expect(response.json()).toMatchObject({ status: 422, code: 'invalid' })
  expect(response.json().errors.map((error: { path: string }) => error.path)).toContain(path)
  expect(await storedRows(sender)).toEqual({
    messages: 0,
    counts: 0,
    keys: 0,
    chunks: 0,
    outbox: 0,
  })
})

test.each([
  ['what is no JSON', '{"to":', 'malformed_json'],
  ['invalid UTF-8', Buffer.from('{"to":{"person_id":"\xff"}}', 'latin1'), 'malformed_utf8'],
  ['__proto__ in data', '{"to":{"all":true},"content":{"data":{"__proto__":{}}}}', 'forbidden_key'],
  ['an escaped __proto__', '{"\\u005f_proto__":{"all":true},"content":{}}', 'forbidden_key'],
  ['100,000 levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, null],
])('4xx for a body that is not to be read: %s', async (_name, body, code) => {
  const response = await post(sender, body)
  expect(response.statusCode).toBe(code === null ? 422 : 400)
  if (code !== null) expect(response.json()).toMatchObject({ status: 400, code })
  expect(await storedRows(sender)).toMatchObject({ messages: 0 })
})

test('many wrong tokens are named, but not all of ten thousand, and none is repeated', async () => {
  const response = await post(sender, message({ to: { tokens: tooMany.slice(1).map(() => 'ö') } }))
  expect(response.statusCode).toBe(422)
  expect(response.json().errors).toHaveLength(20)
  expect(response.body).not.toContain('ö')
})

test('413 for a body over 4 MB, and not below', async () => {
  const large = JSON.stringify(message({ note: 'x'.repeat(4 * 1024 * 1024) }))
  const response = await post(sender, large)
  expect(response.statusCode).toBe(413)
  expect(response.json()).toMatchObject({ code: 'body_too_large' })
  const tokens = tooMany.slice(1).map((_, number) => apnsToken(number).repeat(5))
  expect((await post(sender, message({ to: { tokens } }))).statusCode).toBe(202)
})

test.each([
  ['content', message({ content: { title: 'x', data: { a: 'x'.repeat(4100) } } })],
  ['content', message({ content: { body: 'é'.repeat(2000), data: { a: 'x'.repeat(200) } } })],
  ['apns', { to: { token: apnsToken(1) }, apns: { payload: { a: 'x'.repeat(4100) } } }],
  ['fcm', { to: all, fcm: { android: { notification: { body: 'x'.repeat(4100) } } } }],
])('413 names the part that makes a payload too large: %s', async (part, body) => {
  const before = await storedRows(sender)
  const response = await post(sender, body, { 'idempotency-key': 'large' })
  expect(response.statusCode).toBe(413)
  expect(response.headers['content-type']).toContain('application/problem+json')
  const [error] = response.json().errors
  expect(response.json()).toMatchObject({ status: 413, code: 'payload_too_large' })
  expect(error.path).toMatch(new RegExp(`^(content|${part})`))
  expect(error.message).toContain('4096')
  expect(await storedRows(sender)).toEqual(before)
})

test("413 counts the keys of Customer.io's SDKs, where an app of the audience sends them", async () => {
  const [first, second] = sender.tenant.apps
  const body = message({ content: { title: 'x', body: 'x'.repeat(3800) } })
  await setSdkKeys(sender.database, first.appNo, false)
  const status = async (app_id?: string) => (await post(sender, { ...body, app_id })).statusCode
  expect(await status(first.id)).toBe(202)
  expect(await status(second.id)).toBe(413)
  const everyApp = await post(sender, body)
  expect(everyApp.statusCode).toBe(413)
  expect(everyApp.json().errors[0].message).toMatch(/, \d+ of them for Customer.io's SDKs; /)
  await setSdkKeys(sender.database, second.appNo, false)
  expect(await status()).toBe(202)
  await setSdkKeys(sender.database, first.appNo, true)
  expect(await status()).toBe(413)
  await setSdkKeys(sender.database, second.appNo, true)
})

test('a payload just below the limit is accepted', async () => {
  const response = await post(sender, message({ content: { data: { a: 'x'.repeat(3000) } } }))
  expect(response.statusCode).toBe(202)
})

test.each([
  ['content.data.from', message({ content: { data: { from: 'x' } } })],
  ['content.data.google.id', message({ content: { data: { 'google.id': 'x' } } })],
  ['fcm.data.gcm', message({ fcm: { data: { gcm: 'x' } } })],
])('422 names the data key that FCM keeps to itself: %s', async (path, body) => {
  const response = await post(sender, body)
  expect(response.statusCode).toBe(422)
  expect(response.json().errors).toMatchObject([{ path }])
})

test.each([
  ['text', 'text/plain'],
  ['a form', 'application/x-www-form-urlencoded'],
])('415 for %s', async (_name, type) => {
  const response = await post(sender, JSON.stringify(message({})), { 'content-type': type })
  expect(response.statusCode).toBe(415)
})

const invalidKeys: [name: string, key: string | string[]][] = [
  ['empty', ''],
  ['a space inside', 'a b'],
  ['over 255 characters', 'k'.repeat(256)],
  ['other than ASCII', 'k\u00e9'],
  ['twice', ['one', 'two']],
]

test.each(invalidKeys)('400 names the header: a key that is %s', async (_name, key) => {
  const before = await storedRows(sender)
  const response = await post(sender, message({}), { 'idempotency-key': key })
  expect(response.statusCode).toBe(400)
  expect(response.json()).toMatchObject({
    code: 'invalid_header',
    errors: [{ path: 'Idempotency-Key' }],
  })
  expect(await storedRows(sender)).toEqual(before)
})

test('400 for a key that comes twice over the wire', async () => {
  const url = await sender.app.listen({ host: '127.0.0.1', port: 0 })
  const status = await new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/messages`, {
      method: 'POST',
      headers: [
        ...['authorization', `Bearer ${sender.tenant.secret}`, 'content-type', 'application/json'],
        ...['host', 'localhost', 'idempotency-key', 'one', 'idempotency-key', 'two'],
      ],
    })
    sent.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(message({})))
  })
  expect(status).toBe(400)
})
