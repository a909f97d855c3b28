import type { FastifyPluginAsync } from 'fastify'
import { expect, test } from 'vitest'
import { type Authenticate, buildServer, createLogger } from '../src/index.ts'

const authenticate: Authenticate = () => null

function build(trustedProxies?: string) {
  const logger = createLogger({ name: 'test', level: 'silent' })
  const texts = { title: 'Test', description: 'A test', version: '1' }
  const proxies = trustedProxies === undefined ? {} : { trustedProxies }
  const app = buildServer({ logger, ...texts, authenticate, ...proxies })
  // What an asynchronous plugin throws is an error of the start.
  const routes: FastifyPluginAsync = async (scope) => {
    scope.get('/open', { config: { access: 'open' } }, async () => ({}))
    scope.post('/secret', { config: { access: 'secret' } }, async () => ({}))
    scope.get('/broken', { config: { access: 'open' } }, async () => {
      throw new Error('on purpose')
    })
  }
  app.register(routes)
  return app
}

const requests = [
  { method: 'GET', url: '/open', status: 200 },
  { method: 'POST', url: '/secret', status: 401 },
  { method: 'GET', url: '/nowhere', status: 404 },
  { method: 'GET', url: '/broken', status: 500 },
  { method: 'GET', url: '/%zz', status: 400 },
  { method: 'GET', url: '/openapi.json', status: 200 },
] as const

test.each(requests)('$status: no answer is sniffed or kept', async ({ method, url, status }) => {
  const answer = await build().inject({ method, url })
  expect(answer.statusCode).toBe(status)
  expect(answer.headers['x-content-type-options']).toBe('nosniff')
  expect(answer.headers['cache-control']).toBe('no-store')
  // By HTTP it would be ignored, and is not said.
  expect(answer.headers['strict-transport-security']).toBeUndefined()
})

const byHttps = { 'x-forwarded-proto': 'https' }

// Of a path that cannot be read Fastify does not look at what the proxy says.
const readable = requests.filter(({ status }) => status !== 400)

test.each(readable)(
  '$status: behind a proxy that is trusted, https stays https',
  async (request) => {
    const { method, url } = request
    const answer = await build('127.0.0.1').inject({ method, url, headers: byHttps })
    const age = /max-age=(\d+)/.exec(String(answer.headers['strict-transport-security']))?.[1]
    expect(Number(age)).toBeGreaterThanOrEqual(31_536_000)
  },
)

test('a proxy that is not trusted says nothing of the protocol', async () => {
  const headers = byHttps
  for (const app of [build(), build('192.0.2.1')]) {
    const answer = await app.inject({ url: '/open', headers })
    expect(answer.headers['strict-transport-security']).toBeUndefined()
  }
})
