import { createConnection, createServer, type Socket } from 'node:net'
import { createLogger } from '@pushkeep/runtime'
import { connect, createKey, createWorkspace } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import { buildSender, senderConfig, startSender } from '../src/index.ts'
import { startTestSender } from './sender.ts'

const message = { to: { all: true }, content: { title: 'Hello' } }

test('the API describes itself, each route with its answers', async () => {
  await using sender = await startTestSender()
  const description = (await sender.app.inject({ url: '/openapi.json' })).json()
  expect(description.openapi).toMatch(/^3\.1/)
  const expected: [path: string, method: string, statuses: string[]][] = [
    ['/v1/apps/{id}', 'get', ['200', '401', '403', '404', '429', '503']],
    [
      '/v1/apps/{id}/providers/{provider}/resume',
      'post',
      ['200', '400', '401', '403', '404', '413', '415', '422', '429', '503'],
    ],
    [
      '/v1/messages',
      'post',
      ['202', '400', '401', '403', '409', '413', '415', '422', '429', '503'],
    ],
    [
      '/v1/apps/{id}/providers/{provider}/bounces',
      'post',
      ['200', '400', '401', '403', '404', '413', '415', '422', '429', '503'],
    ],
    ['/v1/messages', 'get', ['200', '401', '403', '422', '429', '503']],
    ['/v1/messages/{id}', 'get', ['200', '401', '403', '404', '429', '503']],
    [
      '/v1/messages/{id}/cancel',
      'post',
      ['200', '400', '401', '403', '404', '409', '413', '415', '422', '429', '503'],
    ],
    ['/v1/messages/{id}/deliveries', 'get', ['200', '401', '403', '404', '422', '429', '503']],
    [
      '/v1/messages/{id}/release',
      'post',
      ['200', '400', '401', '403', '404', '409', '413', '415', '422', '429', '503'],
    ],
    ['/v1/people/{id}/deliveries', 'get', ['200', '401', '403', '404', '422', '429', '503']],
    ['/v1/people/{id}/export', 'get', ['200', '401', '403', '404', '422', '429', '503']],
  ]
  const all = Object.keys(description.paths)
  const paths = all.filter((path) => path.startsWith('/v1/'))
  expect(all.filter((path) => !path.startsWith('/v1/')).sort()).toEqual([
    '/customerio/v1/customers',
    '/customerio/v1/customers/attributes',
    '/customerio/v1/customers/{id}/activities',
    '/customerio/v1/customers/{id}/attributes',
    '/customerio/v1/customers/{id}/messages',
    '/customerio/v1/customers/{id}/segments',
    '/customerio/v1/messages',
    '/customerio/v1/messages/{delivery_id}',
    '/customerio/v1/send/push',
    '/health/live',
    '/health/ready',
  ])
  expect(new Set(paths)).toEqual(new Set(expected.map(([path]) => path)))
  for (const [path, method, statuses] of expected) {
    const operation = description.paths[path][method]
    expect(operation.summary).toBeTruthy()
    expect(operation.description).toBeTruthy()
    expect(Object.keys(operation.responses)).toEqual(statuses)
  }
  const post = description.paths['/v1/messages'].post
  expect(post.parameters).toMatchObject([{ in: 'header', name: 'idempotency-key' }])
  expect(Object.keys(post.responses['202'].headers)).toEqual(['Location', 'Idempotent-Replayed'])
  expect(post.requestBody.content['application/json'].schema.properties).toHaveProperty('to')
  const list = description.paths['/v1/messages/{id}/deliveries'].get
  expect(list.parameters.map((parameter: { name: string }) => parameter.name)).toEqual([
    'limit',
    'cursor',
    'status',
    'id',
  ])
})

const backend = {
  appNo: null,
  keyId: '01890000-0000-7000-8000-000000000001',
  keyName: 'test',
  kind: 'secret',
  role: 'operate',
  isInstallation: false,
  expiresAt: null,
  allowedAddresses: null,
} as const

test('503 and never 202 while the database is away, on every route', async () => {
  const logger = createLogger({ name: 'push-sender', level: 'silent' })
  const database = connect({ url: 'postgres://127.0.0.1:1/none', name: 'test' })
  const queues = { kind: 'postgres' as const, url: 'postgres://127.0.0.1:1/none' }
  const authenticate = () => ({ ...backend, workspaceNo: 1 })
  const app = buildSender({ database, bell: { ring() {} }, authenticate, logger, queues })
  const id = '01890000-0000-7000-8000-000000000000'
  const answers = [
    await app.inject({ method: 'POST', url: '/v1/messages', payload: message }),
    await app.inject({ url: `/v1/messages/${id}` }),
    await app.inject({ url: `/v1/messages/${id}/deliveries` }),
    await app.inject({ url: '/v1/people/anna/deliveries' }),
    await app.inject({ url: '/health/ready' }),
  ]
  for (const response of answers) {
    expect(response.statusCode).toBe(503)
    expect(response.headers['retry-after']).toBe('1')
    expect(response.json()).toMatchObject({ code: 'database_unavailable' })
  }
  expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200)
  await app.close()
  await database.end()
})

test('503 where a database that was there goes away, and service when it is back', async () => {
  await using direct = await createTestDatabase()
  const link = await openLink(new URL(direct.url))
  const { workspaceNo } = await createWorkspace(direct.database, 'test')
  const database = connect({ url: link.url, name: 'test' })
  const app = buildSender({
    database,
    bell: { ring() {} },
    authenticate: () => ({ ...backend, workspaceNo }),
    logger: createLogger({ name: 'push-sender', level: 'silent' }),
    queues: { kind: 'postgres', url: direct.url },
  })
  const post = () => app.inject({ method: 'POST', url: '/v1/messages', payload: message })
  const posts = async (count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, post))
    return new Set(answers.map(({ statusCode }) => statusCode))
  }
  expect(await posts(20)).toEqual(new Set([202]))
  const broken = posts(100)
  link.cut()
  // Those whose answer was on its way may have been accepted.
  expect([...(await broken)].filter((status) => status !== 202 && status !== 503)).toEqual([])
  expect(await posts(20)).toEqual(new Set([503]))
  await link.mend()
  expect(await posts(20)).toEqual(new Set([202]))
  await app.close()
  await database.end()
  link.cut()
})

/** A way to PostgreSQL that can be cut and mended. */
async function openLink(target: URL) {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = createConnection(Number(target.port), target.hostname)
    for (const [socket, peer] of [[near, far] as const, [far, near] as const]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => peer.destroy())
      socket.pipe(peer)
    }
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return {
    url: url.href,
    cut() {
      server.close()
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    mend: () => listen(port),
  }
}

test('the service migrates, listens, serves and stops', async () => {
  await using empty = await createTestDatabase()
  const { workspaceNo } = await createWorkspace(empty.database, 'test')
  const owner = { workspaceNo, appNo: null, kind: 'secret' as const, name: 'test' }
  const { key } = await createKey(empty.database, owner)
  const running = await startSender(
    senderConfig({
      DATABASE_URL: empty.url,
      // Nobody is there: accepting does not care.
      REDIS_URL: 'redis://127.0.0.1:1',
      SENDER_PORT: '0',
      LOG_LEVEL: 'silent',
    }),
  )
  const url = String(running.ready.url)
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(message),
  })
  expect(response.status).toBe(202)
  await running.stop()
  await expect(fetch(url)).rejects.toThrow()
})

test('without a database the service does not start, and says so without the password', async () => {
  const config = senderConfig({ DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x' })
  const failure = await startSender(config).catch((error: Error) => error)
  expect(failure).toBeInstanceOf(Error)
  expect(String(failure)).not.toContain('hunter2')
  expect(JSON.stringify(config)).not.toContain('hunter2')
})

test('the configuration names every variable that is wrong, and has defaults for the rest', () => {
  const wrong = { SENDER_PORT: '99999', LOG_LEVEL: 'loud', MIGRATE_ON_START: 'yes' }
  const read = () => senderConfig(wrong)
  for (const name of ['DATABASE_URL', ...Object.keys(wrong)]) expect(read).toThrow(name)
  expect(senderConfig({ DATABASE_URL: 'postgres://x' })).toMatchObject({
    listen: { host: '127.0.0.1', port: 7002 },
    logLevel: 'info',
    migrateOnStart: true,
    redisUrl: undefined,
  })
})
