import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openQueues, type QueueBackend, queueNames } from '@pushkeep/queues'
import { startRedis } from '@pushkeep/testkit'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { get, type Sender, startTestSender } from './sender.ts'

let sender: Sender
afterEach(() => sender[Symbol.asyncDispose]())

function basic(key: string): string {
  return `Basic ${Buffer.from(`ops:${key}`).toString('base64')}`
}

function open(
  path: string,
  authorization: string,
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' = 'GET',
) {
  return sender.app.inject({ method, url: `/ops/queues${path}`, headers: { authorization } })
}

// A database of its own: other tests of this run have queues of the same names.
const redisUrl = inject('redisUrl') === null ? null : `${inject('redisUrl')}/9`
const backends: [string, QueueBackend | undefined][] = [
  ['PostgreSQL', undefined],
  ...(redisUrl === null
    ? []
    : [['Redis', { kind: 'redis', url: redisUrl }] satisfies [string, QueueBackend]]),
]

describe.each(backends)('on %s', (_name, backend) => {
  test('a secret key opens the page and sees every queue', async () => {
    sender = await startTestSender(backend ? { queues: backend } : {})
    const key = basic(sender.tenant.secret)
    for (const path of ['', '/', '/queue/plan']) {
      const page = await open(path, key)
      expect(page.statusCode).toBe(200)
      expect(page.headers['content-type']).toContain('text/html')
      expect(page.body).toContain('Pushkeep queues')
      const policy = String(page.headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self';")
      expect(policy).toContain("frame-ancestors 'none'")
    }
    const { queues } = (await open('/api/queues?page=1&jobsPerPage=10', key)).json()
    expect(queues.map((queue: { name: string }) => queue.name)).toEqual(queueNames)
    for (const queue of queues) expect(queue.readOnlyMode).toBe(true)
    expect((await open('/api/redis/stats', key)).statusCode).toBe(200)
  })

  test('its scripts and styles are served, each from here', async () => {
    sender = await startTestSender(backend ? { queues: backend } : {})
    const key = basic(sender.tenant.secret)
    const page = (await open('', key)).body
    const files = [...page.matchAll(/(?:src|href)="(static\/[^"]+\.(?:js|css))"/g)].map(
      ([, f]) => f,
    )
    expect(files.length).toBeGreaterThan(2)
    expect(page).not.toMatch(/(src|href)="https?:/)
    for (const file of files) {
      const response = await open(`/${file}`, key)
      expect(response.statusCode).toBe(200)
      expect(response.headers['x-content-type-options']).toBe('nosniff')
    }
    expect((await open('/static/../../package.json', key)).statusCode).toBe(404)
    expect((await open('/static/%2e%2e/index.ejs', key)).statusCode).toBe(404)
  })

  test('a job shows as a pointer, and nothing can be changed', async () => {
    sender = await startTestSender(backend ? { queues: backend } : {})
    const key = basic(sender.tenant.secret)
    const onError = () => {}
    const queues = openQueues({
      backend: backend ?? { kind: 'postgres', url: sender.databaseUrl },
      onError,
    })
    const plan = queues.queue('plan')
    await plan.addAll([{ ref: '4711', ring: 0 }])
    const listed = await open('/api/queues?activeQueue=plan&page=1&jobsPerPage=10', key)
    const queue = listed.json().queues.find((found: { name: string }) => found.name === 'plan')
    expect(queue.jobs).toMatchObject([{ id: '4711-r0', data: { ref: '4711' } }])
    const changes: ['PUT' | 'POST', string][] = [
      ['PUT', '/api/queues/pause'],
      ['PUT', '/api/queues/plan/pause'],
      ['PUT', '/api/queues/plan/empty'],
      ['PUT', '/api/queues/plan/obliterate'],
      ['PUT', '/api/queues/plan/4711-r0/clean'],
      ['POST', '/api/queues/plan/add'],
    ]
    for (const [method, path] of changes) {
      expect((await open(path, key, method)).statusCode).toBe(404)
    }
    expect(await plan.bull.isPaused()).toBe(false)
    expect(await plan.bull.getJobCountByTypes('waiting')).toBe(1)
    await plan.bull.drain()
    await plan.close()
    await queues.close()
  })
})

test('401 asks for a key, 403 for a secret one; Bearer does as well', async () => {
  sender = await startTestSender()
  const { secret, public: publicKey } = sender.tenant
  for (const path of ['', '/', '/api/queues', '/static/favicon.ico', '/queue/plan']) {
    for (const wrong of ['', basic('sk_0123456789abcdef'), basic(''), 'Basic', 'Basic !']) {
      const response = await open(path, wrong)
      expect(response.statusCode).toBe(401)
      expect(response.headers['www-authenticate']).toBe('Basic realm="pushkeep queues"')
    }
    expect((await open(path, '', 'HEAD')).statusCode).toBe(401)
    expect((await open(path, basic(publicKey))).statusCode).toBe(403)
  }
  expect((await get(sender, '/ops/queues', secret)).statusCode).toBe(200)
})

test('it stands in no description, and its route alone in the log', async () => {
  sender = await startTestSender()
  await open('/queue/plan/17-r0', basic(sender.tenant.secret))
  const description = await sender.app.inject({ url: '/openapi.json' })
  expect(description.body).not.toContain('/ops')
  const requests = sender.lines.filter((line) => line.includes('/ops/queues'))
  expect(requests.map((line) => JSON.parse(line))).toMatchObject([
    { route: '/ops/queues/*', status: 200 },
  ])
  expect(sender.lines.join('')).not.toContain(sender.tenant.secret)
})

test('a Redis that goes away later costs the dashboard its data, and nothing else', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-dashboard-'))
  const redis = await startRedis(directory)
  sender = await startTestSender(redis ? { queues: { kind: 'redis', url: redis.url } } : {})
  if (!redis) return
  const key = basic(sender.tenant.secret)
  expect((await open('/api/queues', key)).statusCode).toBe(200)
  await redis.stop()
  await rm(directory, { recursive: true })
  const response = await open('/api/queues', key)
  expect(response.statusCode).toBe(503)
  expect(response.body).not.toContain('127.0.0.1')
  expect((await open('', key)).statusCode).toBe(200)
  expect(sender.lines.filter((line) => line.includes('the queues of')).length).toBeLessThan(3)
})

test('while Redis is away messages are accepted, and the dashboard says 503 in time', async () => {
  sender = await startTestSender({ queues: { kind: 'redis', url: 'redis://127.0.0.1:1' } })
  const accepted = await sender.app.inject({
    method: 'POST',
    url: '/v1/messages',
    headers: { authorization: `Bearer ${sender.tenant.secret}` },
    payload: { to: { all: true }, content: { title: 'Hello' } },
  })
  expect(accepted.statusCode).toBe(202)
  const began = performance.now()
  const responses = await Promise.all([
    open('', basic(sender.tenant.secret)),
    open('/api/queues', basic(sender.tenant.secret)),
  ])
  for (const response of responses) {
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({ code: 'queues_unavailable' })
    expect(response.headers['retry-after']).toBe('1')
  }
  expect(performance.now() - began).toBeLessThan(8000)
})
