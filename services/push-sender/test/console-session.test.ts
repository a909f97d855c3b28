import { createKey, readAudit, revokeKey } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Browser, openBrowser, ownHeaders } from './console.ts'
import { type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
})
afterAll(() => sender[Symbol.asyncDispose]())

let address = 1
/** Signs in from an address of its own: failed tries are counted by address. */
function signIn(key: string, headers: Record<string, string> = {}) {
  address += 1
  return sender.app.inject({
    method: 'POST',
    url: '/ops/api/session',
    headers: { ...ownHeaders, ...headers },
    payload: { key },
    remoteAddress: `10.1.0.${address}`,
  })
}

test('a secret key opens a session: its cookie is HttpOnly, SameSite=Strict and for /ops alone', async () => {
  const { tenant, lines } = sender
  const answer = await signIn(tenant.secret)
  expect(answer.statusCode).toBe(200)
  const cookie = String(answer.headers['set-cookie'])
  expect(cookie).toMatch(/^pushkeep=[\w-]{43}; Path=\/ops; HttpOnly; SameSite=Strict$/)
  expect(answer.json()).toEqual({
    key: {
      id: expect.any(String),
      name: 'test',
      role: 'operate',
      is_installation: false,
      expires_at: null,
    },
    workspace: { id: expect.any(String), name: 'test' },
    app: null,
    expires_at: expect.any(String),
    csrf_token: expect.any(String),
  })
  const [session = ''] = cookie.split(';')
  const again = await sender.app.inject({ url: '/ops/api/session', headers: { cookie: session } })
  expect(again.json()).toEqual(answer.json())
  expect(lines.join('')).not.toContain(tenant.secret)
  expect(lines.join('')).not.toContain(session)
})

test('behind a proxy that speaks https the cookie is Secure, and no sibling can set it', async () => {
  const https = { 'x-forwarded-proto': 'https', origin: 'https://localhost' }
  const answer = await signIn(sender.tenant.secret, https)
  const cookie = String(answer.headers['set-cookie'])
  expect(cookie).toMatch(/^__Host-pushkeep=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  const [session = ''] = cookie.split(';')
  const get = (headers: Record<string, string>) =>
    sender.app.inject({ url: '/ops/api/session', headers })
  expect((await get({ ...https, cookie: session })).statusCode).toBe(200)
  const renamed = session.replace('__Host-', '')
  expect((await get({ ...https, cookie: renamed })).statusCode).toBe(401)
})

test('the session of a key for one app names it', async () => {
  const answer = await signIn(sender.tenant.appSecret)
  expect(answer.json().app).toEqual({ id: sender.tenant.apps[0].id, name: 'first' })
})

test.each([
  ['sk_0123456789abcdef0123456789', 401, 'wrong_key'],
  ['nonsense', 401, 'wrong_key'],
  ['', 422, 'invalid'],
  ['x'.repeat(501), 422, 'invalid'],
])('%s opens nothing: %d', async (key, status, code) => {
  const answer = await signIn(key)
  expect([answer.statusCode, answer.json().code]).toEqual([status, code])
  expect(answer.headers['set-cookie']).toBeUndefined()
})

test('neither does a public key, nor one that was revoked', async () => {
  const { tenant, database } = sender
  const open = await signIn(tenant.public)
  expect([open.statusCode, open.json().code]).toEqual([403, 'public_key'])
  const { workspaceNo } = tenant
  const key = await createKey(database, { workspaceNo, appNo: null, kind: 'secret', name: 'old' })
  await revokeKey(database, { workspaceNo, id: key.id })
  expect((await signIn(key.key)).statusCode).toBe(401)
})

test('another site cannot make a browser sign in', async () => {
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'http://localhost.evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost', 'sec-fetch-site': 'cross-site' },
    { origin: 'http://localhost', 'sec-fetch-site': 'same-site' },
  ]) {
    const answer = await signIn(sender.tenant.secret, headers)
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'foreign_origin'])
  }
})

test('signing out ends the session, and both are in the audit log', async () => {
  const { database, tenant } = sender
  const browser = await openBrowser(sender, 'read')
  const answer = await browser.call('DELETE', '/ops/api/session')
  expect(answer.statusCode).toBe(204)
  expect(answer.headers['set-cookie']).toBe(
    'pushkeep=; Max-Age=0; Path=/ops; HttpOnly; SameSite=Strict',
  )
  expect((await browser.get('/ops/api/session')).statusCode).toBe(401)
  const page = { workspaceNo: tenant.workspaceNo, appNo: null, before: null, limit: 2 }
  const { entries } = await readAudit(database, page)
  expect(entries.map(({ action, key }) => [action, key?.id])).toEqual([
    ['session.close', browser.keyId],
    ['session.open', browser.keyId],
  ])
})

test('a revoked key ends its session with the next request', async () => {
  const { database, tenant } = sender
  const browser = await openBrowser(sender, 'admin')
  expect((await browser.get('/ops/api/keys')).statusCode).toBe(200)
  await revokeKey(database, { workspaceNo: tenant.workspaceNo, id: browser.keyId })
  expect((await browser.get('/ops/api/keys')).statusCode).toBe(401)
})

test('a change needs the page’s own origin and the token of its session', async () => {
  const browser = await openBrowser(sender, 'admin')
  const other = await openBrowser(sender, 'admin')
  const create = (headers: Record<string, string>) =>
    sender.app.inject({
      method: 'POST',
      url: '/ops/api/keys',
      headers: { ...ownHeaders, cookie: browser.cookie, ...headers },
      payload: { name: 'forged', kind: 'public', role: null, app_id: null },
    })
  const token = { 'x-xsrf-token': browser.csrf }
  for (const [headers, code] of [
    [{}, 'csrf_token'],
    [{ 'x-xsrf-token': other.csrf }, 'csrf_token'],
    [{ ...token, origin: 'https://evil.example' }, 'foreign_origin'],
    [{ ...token, 'sec-fetch-site': 'cross-site' }, 'foreign_origin'],
  ] as const) {
    const refused = await create(headers)
    expect([refused.statusCode, refused.json().code]).toEqual([403, code])
  }
  expect((await create(token)).statusCode).toBe(201)
})

/** Every route of the console's API that changes something, and which role it takes. */
const changes: ['POST' | 'PUT' | 'DELETE', string, 'operate' | 'admin'][] = [
  ['POST', '/ops/api/people/ana/suppress', 'operate'],
  ['POST', '/ops/api/people/ana/unsuppress', 'operate'],
  ['POST', '/ops/api/messages/x/cancel', 'operate'],
  ['POST', '/ops/api/messages/x/release', 'operate'],
  ['POST', `/ops/api/apps/x/devices/${'0'.repeat(32)}/test`, 'operate'],
  ['POST', '/ops/api/apps/x/providers/apns/resume', 'operate'],
  ['POST', '/ops/api/apps/x/providers/apns/bounces', 'operate'],
  ['POST', '/ops/api/apps/x/providers/apns/check', 'operate'],
  ['PUT', '/ops/api/apps/x/providers/apns/credentials', 'admin'],
  ['PUT', '/ops/api/apps/x/providers/fcm/credentials', 'admin'],
  ['POST', '/ops/api/apps', 'admin'],
  ['POST', '/ops/api/keys', 'admin'],
  ['DELETE', '/ops/api/keys/0193575e-0000-7000-8000-00000000000a', 'admin'],
]

test('each change is for those whose role allows it', async () => {
  const roles = ['read', 'operate', 'admin'] as const
  const browsers: Browser[] = []
  for (const role of roles) browsers.push(await openBrowser(sender, role))
  for (const [method, url, needed] of changes) {
    const allowed = []
    for (const browser of browsers) {
      const answer = await browser.call(method, url, {})
      allowed.push(answer.json().code !== 'role_needed')
    }
    const from = roles.indexOf(needed)
    expect([url, allowed]).toEqual([url, roles.map((_, index) => index >= from)])
  }
})

const reads = [
  'session',
  'overview',
  'live/overview',
  'live/messages/x',
  'messages',
  'messages/x',
  'messages/x/deliveries',
  'people/ana',
  'people/ana/why/x',
  `apps/x/devices/${'0'.repeat(32)}/timeline`,
  'apps',
  'tasks/0193575e-0000-7000-8000-00000000000a',
  'keys',
  'audit',
].map((name) => `/ops/api/${name}`)

test('nothing of the API is open to whoever has not signed in, whatever key they send', async () => {
  const headers = { ...ownHeaders, authorization: `Bearer ${sender.tenant.secret}` }
  for (const url of reads) {
    const answer = await sender.app.inject({ url, headers })
    expect([url, answer.statusCode]).toEqual([url, 401])
  }
  for (const [method, url] of [...changes, ['POST', '/ops/api/people/search'] as const]) {
    const answer = await sender.app.inject({ method, url, headers, payload: {} })
    expect([url, answer.statusCode]).toEqual([url, 401])
  }
})

test('every route of the API stands in the lists above', () => {
  const above: string[] = []
  const methods = sender.app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', part = '', list = ''] =
        /^([│├└─\s]*)(\S+)(?: \(([A-Z, ]+)\))?/.exec(line) ?? []
      above.splice(indent.length / 4 - 1, above.length, part)
      // Signing in is tried above.
      const isInApi = above.join('').startsWith('/ops/api/')
      return isInApi && list !== '' ? list.split(', ').filter((method) => method !== 'HEAD') : []
    })
  const signInAndOut = 2
  const search = 1
  // One route takes both `suppress` and `unsuppress`.
  expect(methods).toHaveLength(reads.length + changes.length - 1 + search + signInAndOut)
})

test('what is no part of the API is 404', async () => {
  const answer = await sender.app.inject({ url: '/ops/api/nonsense' })
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_route'])
})

test('signing in again ends the former session of that browser', async () => {
  const { key } = await createKey(sender.database, {
    workspaceNo: sender.tenant.workspaceNo,
    appNo: null,
    kind: 'secret',
    name: 'again',
  })
  const cookieOf = (answer: { headers: Record<string, unknown> }) =>
    String([answer.headers['set-cookie']].flat()[0]).split(';')[0] ?? ''
  const signIn = (cookie: string) =>
    sender.app.inject({
      method: 'POST',
      url: '/ops/api/session',
      headers: { origin: 'http://localhost', host: 'localhost', cookie },
      payload: { key },
      remoteAddress: '10.9.9.9',
    })
  const first = cookieOf(await signIn(''))
  const second = cookieOf(await signIn(first))
  const status = async (cookie: string) =>
    (await sender.app.inject({ url: '/ops/api/session', headers: { cookie } })).statusCode
  expect([await status(first), await status(second)]).toEqual([401, 200])
})

test('a key that has ended, or is for another address, signs in nobody', async () => {
  const make = async (terms: object) =>
    (
      await createKey(sender.database, {
        workspaceNo: sender.tenant.workspaceNo,
        appNo: null,
        kind: 'secret',
        name: 'terms',
        ...terms,
      })
    ).key
  const ended = await make({ expiresAt: new Date(Date.now() - 1000) })
  const elsewhere = await make({ allowedAddresses: ['192.0.2.0/24'] })
  for (const [key, status, code] of [
    [ended, 401, 'key_expired'],
    [elsewhere, 403, 'address_not_allowed'],
  ] as const) {
    const signedIn = await sender.app.inject({
      method: 'POST',
      url: '/ops/api/session',
      headers: { origin: 'http://localhost', host: 'localhost' },
      payload: { key },
      remoteAddress: '10.9.9.8',
    })
    expect(signedIn.json()).toMatchObject({ status, code })
    const headers = { authorization: `Bearer ${key}` }
    const called = await sender.app.inject({
      url: '/v1/messages',
      headers,
      remoteAddress: '10.9.9.8',
    })
    expect(called.json()).toMatchObject({ status, code })
  }
  const headers = { authorization: `Bearer ${elsewhere}` }
  const called = await sender.app.inject({
    url: '/v1/messages',
    headers,
    remoteAddress: '::ffff:192.0.2.7',
  })
  expect(called.statusCode).toBe(200)
})
