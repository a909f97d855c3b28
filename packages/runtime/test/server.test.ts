import { connect as connectSocket } from 'node:net'
import { AttributesInput, ClientTime, cleanText } from '@pushkeep/domain'
import { CoalescerFullError } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  type Authenticate,
  buildServer,
  callerOf,
  createLogger,
  notFound,
  problemResponses,
} from '../src/index.ts'

const Body = z.strictObject({
  device: z.strictObject({
    platform: z.enum(['ios', 'android'], 'must be ios or android'),
    at: ClientTime.optional(),
    attributes: AttributesInput.optional(),
  }),
  ids: z.array(cleanText(150)).optional(),
})

const routes: FastifyPluginAsyncZod = async (app) => {
  const token = z.object({ token: cleanText(4096) })
  const schema = { params: token, body: Body, response: { 200: z.unknown() } }
  app.put('/things/:token', { config: { access: 'secret' }, schema }, async (request) => ({
    body: request.body,
    caller: callerOf(request),
  }))
  app.post('/things', { config: { access: 'public' } }, async (request) => ({ body: request.body }))
  app.delete('/things/:token', { config: { access: 'open' } }, async (request) => ({
    token: request.params,
  }))
  app.get('/fails/:how', { config: { access: 'open' } }, async (request) => {
    const { how } = z.object({ how: z.string() }).parse(request.params)
    if (how === 'full') throw new CoalescerFullError()
    if (how === 'gone') throw notFound('unknown_thing', 'there is no such thing')
    if (how === 'database') throw new Error('Connection terminated unexpectedly')
    throw new Error(`secret ${'ab'.repeat(32)}`)
  })
  app.get(
    '/answers',
    {
      config: { access: 'open' },
      schema: { response: { 200: z.strictObject({ a: z.number() }), ...problemResponses(404) } },
    },
    async () => JSON.parse('{"a":"1"}'),
  )
}

const owner = {
  workspaceNo: 1,
  appNo: null,
  keyId: 'id',
  keyName: 'test',
  isInstallation: false,
  expiresAt: null,
  allowedAddresses: null,
}
const authenticate: Authenticate = (authorization) => {
  if (authorization === 'Bearer secret') return { ...owner, kind: 'secret', role: 'operate' }
  if (authorization === 'Bearer reader') return { ...owner, kind: 'secret', role: 'read' }
  if (authorization === 'Bearer public') {
    return Promise.resolve({ ...owner, appNo: 2, kind: 'public', role: null })
  }
  return null
}

function build(options: { checkResponses?: boolean } = {}) {
  const lines: string[] = []
  const logger = createLogger({
    name: 'test',
    level: 'info',
    stream: { write: (line: string) => lines.push(line) },
  })
  const api = { title: 'Test', description: 'A test', version: '1' }
  const app = buildServer({ logger, ...api, authenticate, bodyLimit: 2000, ...options })
  app.register(routes)
  return { app, lines }
}

const secret = { authorization: 'Bearer secret' }
const json = { ...secret, 'content-type': 'application/json' }

function put(app: ReturnType<typeof build>['app'], payload: string | Buffer, headers = {}) {
  return app.inject({
    method: 'PUT',
    url: '/things/abc',
    payload,
    headers: { ...json, ...headers },
  })
}

test('a valid request reaches the route with its parsed body and its caller', async () => {
  const { app } = build()
  const response = await put(app, '{"device":{"platform":"ios"}}')
  expect(response.statusCode).toBe(200)
  expect(response.json()).toEqual({
    body: { device: { platform: 'ios' } },
    caller: { ...owner, kind: 'secret', role: 'operate', address: '127.0.0.1' },
  })
  expect(response.headers['x-request-id']).toBeTruthy()
})

test.each([
  ['{"device":{"platform":"tv"}}', 'device.platform', 'must be ios or android'],
  ['{"device":{}}', 'device.platform', 'must be ios or android'],
  ['{"device":[]}', 'device', 'must be an object'],
  ['{"device":{"platform":"ios"},"extra":1}', 'extra', 'is not a known field'],
  ['{"device":{"platform":"ios"},"ids":["a","b","c",""]}', 'ids.3', 'must not be empty'],
  ['{"device":{"platform":"ios"},"ids":["\\u0000"]}', 'ids.0', 'must be valid Unicode without NUL'],
  ['{"device":{"platform":"ios","at":"noon"}}', 'device.at', 'must be unix seconds or an ISO 8601'],
  ['{"device":{"platform":"ios","at":1e12}}', 'device.at', 'must be seconds, not milliseconds'],
  [
    '{"device":{"platform":"ios","attributes":{"a":{"prototype":1}}}}',
    'device.attributes.a.prototype',
    'is not allowed as a key',
  ],
  [
    '{"device":{"platform":"ios","attributes":{"a":1e400}}}',
    'device.attributes.a',
    'must be a finite number',
  ],
  ['[]', 'body', 'must be an object'],
  ['', 'body', 'is required'],
])('422 names the field: %s', async (body, path, message) => {
  const { app } = build()
  const response = await put(app, body)
  expect(response.statusCode).toBe(422)
  expect(response.headers['content-type']).toContain('application/problem+json')
  expect(response.json()).toMatchObject({
    type: 'about:blank',
    title: 'Unprocessable Entity',
    status: 422,
    code: 'invalid',
    errors: [{ path, message: expect.stringContaining(message) }],
  })
})

test.each([
  ['{"device":', 'malformed_json'],
  [Buffer.from([0x22, 0xff, 0x22]), 'malformed_utf8'],
  ['{"device":{"attributes":{"__proto__":{"a":1}}}}', 'forbidden_key'],
  ['{"\\u005f\\u005fproto__":1}', 'forbidden_key'],
  ['{"a":[{"constructor":{"prototype":{}}}]}', 'forbidden_key'],
])('400 for a body that cannot be read: %s', async (body, code) => {
  const { app } = build()
  const response = await put(app, body)
  expect(response.statusCode).toBe(400)
  expect(response.json()).toMatchObject({ status: 400, code })
})

test('a forbidden key is named by its place', async () => {
  const { app } = build()
  const response = await put(app, '{"device":{"attributes":{"a":{"__proto__":1}}}}')
  expect(response.json().errors).toEqual([
    { path: 'device.attributes.a.__proto__', message: 'is not allowed as a key' },
  ])
})

test.each([
  ['401 without a key', {}, 401, 'unauthorized'],
  ['401 with an unknown key', { authorization: 'Bearer other' }, 401, 'unauthorized'],
  ['403 with a public key', { authorization: 'Bearer public' }, 403, 'forbidden'],
  ['413', { ...json, body: 'x'.repeat(2001) }, 413, 'body_too_large'],
  ['415 text', { ...json, 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
  ['415 gzip', { ...json, 'content-encoding': 'gzip' }, 415, 'unsupported_encoding'],
])('%s', async (_name, { body = '{}', ...headers }: Record<string, string>, status, code) => {
  const { app } = build()
  const response = await app.inject({ method: 'PUT', url: '/things/abc', payload: body, headers })
  expect(response.statusCode).toBe(status)
  expect(response.json()).toMatchObject({ status, code })
  expect(response.headers['www-authenticate']).toBe(
    status === 401 ? 'Bearer realm="pushkeep"' : undefined,
  )
})

test.each([
  ['/nowhere', 404, 'unknown_route'],
  ['/fails/gone', 404, 'unknown_thing'],
  ['/fails/%ff', 400, 'malformed_url'],
  ['/fails/%', 400, 'malformed_url'],
  [`/fails/${'a'.repeat(4097)}`, 414, 'path_too_long'],
  ['/fails/full', 503, 'overloaded'],
  ['/fails/database', 503, 'database_unavailable'],
  ['/fails/other', 500, 'internal'],
])('GET %.20s answers %i', async (url, status, code) => {
  const { app, lines } = build()
  const response = await app.inject({ url })
  expect(response.statusCode).toBe(status)
  expect(response.json()).toMatchObject({ status, code })
  expect(response.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
  expect(response.body).not.toContain('abab')
  expect(lines.join('')).not.toContain('abab')
})

test('a bodyless request with a JSON content type is no error', async () => {
  const { app } = build()
  const headers = { ...json, 'content-length': '0' }
  const long = 'a%2F'.repeat(1365)
  const removed = await app.inject({ method: 'DELETE', url: `/things/${long}`, headers })
  expect(removed.statusCode).toBe(200)
  expect(removed.json().token.token).toHaveLength(2730)
  const posted = await app.inject({ method: 'POST', url: '/things', headers })
  expect(posted.json()).toEqual({})
})

test('one line a request, with the route and without its URL', async () => {
  const { app, lines } = build()
  await put(app, '{"device":{"platform":"ios"}}')
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    method: 'PUT',
    route: '/things/:token',
    status: 200,
    request_id: expect.any(String),
    ms: expect.any(Number),
  })
  expect(lines[0]).not.toContain('abc')
})

test('a route that does not say who may call fails at start', async () => {
  const { app } = build()
  expect(() => app.get('/undeclared', async () => ({}))).toThrow('does not declare its access')
})

test('an answer that is not as described is an error in tests, and only there', async () => {
  const strict = await build({ checkResponses: true }).app.inject({ url: '/answers' })
  expect(strict.statusCode).toBe(500)
  const lax = await build().app.inject({ url: '/answers' })
  expect(lax.json()).toEqual({ a: '1' })
})

test('the API describes itself, and its page loads nothing from elsewhere', async () => {
  const { app } = build()
  const description = (await app.inject({ url: '/openapi.json' })).json()
  expect(description.openapi).toBe('3.1.0')
  expect(Object.keys(description.paths)).toContain('/things/{token}')
  const page = await app.inject({ url: '/docs/' })
  expect(page.statusCode).toBe(200)
  expect(page.body).not.toMatch(/(src|href)="https?:/)
  expect(page.headers['content-security-policy']).toContain("default-src 'none'")
})

test('health: live always, ready without a database too', async () => {
  const { app } = build()
  for (const url of ['/health/live', '/health/ready']) {
    expect((await app.inject({ url })).json()).toEqual({ status: 'ok' })
  }
})

test('what is no HTTP gets a problem too', async () => {
  const { app } = build()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const answer = await new Promise<string>((resolve) => {
    const socket = connectSocket(port, '127.0.0.1', () => socket.write('nonsense\r\n\r\n'))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
  })
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/)
  expect(answer).toContain('"code":"malformed_request"')
  await app.close()
})
