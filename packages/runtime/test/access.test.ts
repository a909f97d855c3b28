import type { FastifyContextConfig, FastifyPluginAsync } from 'fastify'
import { expect, test } from 'vitest'
import {
  type Authenticate,
  buildServer,
  type Caller,
  callerOf,
  createLogger,
  ProblemError,
  type SignedIn,
} from '../src/index.ts'

const owner = {
  workspaceNo: 1,
  appNo: null,
  keyId: 'id',
  keyName: 'test',
  isInstallation: false,
  expiresAt: null,
  allowedAddresses: null,
}
const callers: Record<string, Caller> = {
  reader: { ...owner, kind: 'secret', role: 'read' },
  operator: { ...owner, kind: 'secret', role: 'operate' },
  admin: { ...owner, kind: 'secret', role: 'admin' },
  public: { ...owner, kind: 'public', role: null },
}
const authenticate: Authenticate = (authorization) => callers[authorization ?? ''] ?? null
const signedIn: SignedIn = async ({ headers: { cookie, origin } }) => {
  if (origin === 'elsewhere') throw new ProblemError(403, 'foreign_origin')
  return callers[cookie ?? ''] ?? null
}

type Method = 'GET' | 'POST'

function build(method: Method, config: FastifyContextConfig, checks: object) {
  const logger = createLogger({ name: 'test', level: 'silent' })
  const app = buildServer({ logger, title: 'Test', description: 'A test', version: '1', ...checks })
  // What an asynchronous plugin throws is an error of the start.
  const routes: FastifyPluginAsync = async (scope) => {
    scope.route({ method, url: '/', config, handler: async (request) => callerOf(request).kind })
  }
  app.register(routes)
  return app
}

test.each<[Method, FastifyContextConfig, string, number, string | null]>([
  ['GET', { access: 'secret' }, 'reader', 200, null],
  ['POST', { access: 'secret' }, 'reader', 403, 'role_needed'],
  ['POST', { access: 'secret', role: 'read' }, 'reader', 200, null],
  ['POST', { access: 'secret' }, 'operator', 200, null],
  ['GET', { access: 'secret', role: 'admin' }, 'operator', 403, 'role_needed'],
  ['GET', { access: 'secret', role: 'admin' }, 'admin', 200, null],
  ['GET', { access: 'secret' }, 'public', 403, 'forbidden'],
  ['POST', { access: 'public' }, 'public', 200, null],
  ['POST', { access: 'public' }, 'reader', 403, 'role_needed'],
  ['GET', { access: 'secret' }, 'nobody', 401, 'unauthorized'],
])('%s with %j by %s: %d', async (method, config, authorization, status, code) => {
  const app = build(method, config, { authenticate })
  const response = await app.inject({ method, url: '/', headers: { authorization } })
  expect(response.statusCode).toBe(status)
  if (code !== null) expect(response.json().code).toBe(code)
})

test.each<[Method, FastifyContextConfig, string, number, string | null]>([
  ['GET', { access: 'session' }, 'reader', 200, null],
  ['POST', { access: 'session' }, 'reader', 403, 'role_needed'],
  ['POST', { access: 'session', role: 'admin' }, 'admin', 200, null],
  ['GET', { access: 'session' }, 'nobody', 401, 'signed_out'],
])('%s with %j in a session of %s: %d', async (method, config, cookie, status, code) => {
  const app = build(method, config, { signedIn })
  const response = await app.inject({ method, url: '/', headers: { cookie } })
  expect(response.statusCode).toBe(status)
  if (code !== null) expect(response.json().code).toBe(code)
  const foreign = await app.inject({ method, url: '/', headers: { cookie, origin: 'elsewhere' } })
  expect([foreign.statusCode, foreign.json().code]).toEqual([403, 'foreign_origin'])
})

test('a key opens no session, nor a session what asks for a key', async () => {
  const session = build('GET', { access: 'session' }, { authenticate, signedIn })
  const key = build('GET', { access: 'secret' }, { authenticate, signedIn })
  const headers = [{ authorization: 'admin' }, { cookie: 'admin' }]
  const answers = await Promise.all([
    session.inject({ url: '/', headers: headers[0] ?? {} }),
    key.inject({ url: '/', headers: headers[1] ?? {} }),
  ])
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 401])
})

test.each<[string, FastifyContextConfig, object]>([
  ['that declares nothing', {}, { authenticate, signedIn }],
  ['for keys where nothing tells them', { access: 'secret' }, { signedIn }],
  ['for sessions where nothing tells them', { access: 'session' }, { authenticate }],
])('a route %s fails at start', async (_name, config, checks) => {
  const app = build('GET', config, checks)
  await expect(async () => app.ready()).rejects.toThrow()
})
