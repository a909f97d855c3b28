import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openQueues, type QueueBackend, queueNames } from '@pushkeep/queues'
import { readAudit } from '@pushkeep/store'
import { startRedis } from '@pushkeep/testkit'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { type Browser, openBrowser } from './console.ts'
import { get, type Sender, startTestSender } from './sender.ts'

let sender: Sender
afterEach(() => sender[Symbol.asyncDispose]())

const path = '/ops/queues'

// A database of its own: other tests of this run have queues of the same names.
const redisUrl = inject('redisUrl') === null ? null : `${inject('redisUrl')}/9`
const backends: [string, QueueBackend | undefined][] = [
  ['PostgreSQL', undefined],
  ...(redisUrl === null
    ? []
    : [['Redis', { kind: 'redis', url: redisUrl }] satisfies [string, QueueBackend]]),
]

interface ListedQueue {
  name: string
  readOnlyMode: boolean
  counts: Record<string, number>
  jobs: { id: string; data: object; failedReason?: string }[]
}

/** A queue as the dashboard lists it, with its jobs of one status. */
async function listed(browser: Browser, name: string, status = 'latest'): Promise<ListedQueue> {
  const query = `activeQueue=${name}&status=${status}&page=1&jobsPerPage=10`
  const answer = await browser.get(`${path}/api/queues?${query}`)
  return answer.json().queues.find((queue: { name: string }) => queue.name === name)
}

async function actions({ database, tenant }: Sender): Promise<[string, string | null, object][]> {
  const page = { workspaceNo: tenant.workspaceNo, appNo: null, before: null, limit: 100 }
  const { entries } = await readAudit(database, page)
  return entries
    .filter(({ targetKind }) => targetKind === 'queue')
    .map(({ action, target, detail }) => [action, target, detail])
}

describe.each(backends)('on %s', (_name, backend) => {
  const start = async () => {
    sender = await startTestSender(backend ? { queues: backend } : {})
    const queues = openQueues({
      backend: backend ?? { kind: 'postgres', url: sender.databaseUrl },
      onError: () => {},
    })
    const plan = queues.queue('plan')
    return {
      plan,
      async close() {
        await plan.bull.obliterate({ force: true })
        await plan.close()
        await queues.close()
      },
    }
  }

  test('every role opens the page and sees every queue; to read is read-only', async () => {
    const scene = await start()
    for (const [role, readOnly] of [
      ['read', true],
      ['operate', false],
      ['admin', false],
    ] as const) {
      const browser = await openBrowser(sender, role, { isInstallation: true })
      for (const url of ['', '/', '/queue/plan']) {
        const page = await browser.get(path + url)
        expect(page.statusCode).toBe(200)
        expect(page.headers['content-type']).toContain('text/html')
        expect(page.body).toContain('Pushkeep queues')
        const policy = String(page.headers['content-security-policy'])
        expect(policy).toContain("default-src 'none'")
        expect(policy).toContain("script-src 'self';")
        expect(policy).toContain("frame-ancestors 'none'")
      }
      const { queues } = (await browser.get(`${path}/api/queues?page=1&jobsPerPage=10`)).json()
      expect(queues.map((queue: ListedQueue) => queue.name)).toEqual(queueNames)
      for (const queue of queues) expect(queue.readOnlyMode).toBe(readOnly)
      expect((await browser.get(`${path}/api/redis/stats`)).statusCode).toBe(200)
    }
    await scene.close()
  })

  test('its scripts and styles are served, each from here', async () => {
    const scene = await start()
    const browser = await openBrowser(sender, 'read', { isInstallation: true })
    const page = (await browser.get(path)).body
    const files = [...page.matchAll(/(?:src|href)="(static\/[^"]+\.(?:js|css))"/g)].map(
      ([, f]) => f,
    )
    expect(files.length).toBeGreaterThan(2)
    expect(page).not.toMatch(/(src|href)="https?:/)
    for (const file of files) {
      const response = await browser.get(`${path}/${file}`)
      expect(response.statusCode).toBe(200)
      expect(response.headers['x-content-type-options']).toBe('nosniff')
    }
    // (A plain `..` is resolved by whoever asks, and never arrives.)
    for (const outside of [
      '%2e%2e/index.ejs',
      '..%2f..%2fpackage.json',
      '%2e%2e%2f%2e%2e%2fpackage.json',
    ]) {
      const answer = await browser.get(`${path}/static/${outside}`)
      expect([outside, answer.statusCode]).toEqual([outside, 404])
    }
    await scene.close()
  })

  test('a job shows as a pointer, whatever was put into it', async () => {
    const scene = await start()
    const token = 'ab'.repeat(32)
    await scene.plan.addAll([{ ref: '4711', ring: 0 }])
    const smuggled = { ref: '1', token, email: 'ana@example.com' }
    await scene.plan.bull.add('plan', smuggled, { jobId: 'smuggled' })
    const browser = await openBrowser(sender, 'admin', { isInstallation: true })
    const queue = await listed(browser, 'plan', 'waiting')
    expect(queue.jobs.map(({ data }) => data)).toEqual(
      expect.arrayContaining([{ ref: '4711' }, { ref: '1' }]),
    )
    expect(JSON.stringify(queue)).not.toMatch(/abab|ana@/)
    const job = await browser.get(`${path}/api/queues/plan/smuggled`)
    expect(job.statusCode).toBe(200)
    expect(job.body).not.toMatch(/abab|ana@/)
    await scene.close()
  })

  test('who may operate retries and cleans failed jobs and drains a queue; it is all audited', async () => {
    const scene = await start()
    const { plan } = scene
    const token = 'cd'.repeat(32)
    await plan.addAll([1, 2, 3].map((ref) => ({ ref: String(ref), ring: 0 })))
    await failAll(scene.plan.bull, `cannot send to ${token}`)
    const reader = await openBrowser(sender, 'read', { isInstallation: true })
    const operator = await openBrowser(sender, 'operate', { isInstallation: true })
    const failed = await listed(reader, 'plan', 'failed')
    expect(failed.jobs).toHaveLength(3)
    expect(JSON.stringify(failed)).toContain('cannot send to [secret]')
    expect(JSON.stringify(failed)).not.toContain(token)

    const put = (browser: Browser, url: string) => browser.call('PUT', `${path}/api/queues${url}`)
    for (const url of ['/plan/1-r0/retry', '/plan/retry/failed', '/plan/empty']) {
      const refused = await put(reader, url)
      expect([refused.statusCode, refused.json().code]).toEqual([403, 'role_needed'])
    }
    expect(await plan.bull.getFailedCount()).toBe(3)

    expect((await put(operator, '/plan/1-r0/retry')).statusCode).toBeLessThan(300)
    expect(await plan.bull.getJobCountByTypes('waiting')).toBe(1)
    expect((await put(operator, '/plan/2-r0/clean')).statusCode).toBeLessThan(300)
    expect((await put(operator, '/plan/retry/failed')).json()).toMatchObject({ retried: 1 })
    expect(await plan.bull.getFailedCount()).toBe(0)
    expect((await put(operator, '/plan/empty')).statusCode).toBe(200)
    expect(await plan.bull.getJobCountByTypes('waiting')).toBe(0)
    expect(await actions(sender)).toEqual([
      ['queue.drain', 'plan', {}],
      ['queue.retry', 'plan', {}],
      ['queue.clean', 'plan', { job: '2-r0' }],
      ['queue.retry', 'plan', { job: '1-r0' }],
    ])
    await scene.close()
  })

  test('nobody pauses, obliterates or fills a queue from here', async () => {
    const scene = await start()
    await scene.plan.addAll([{ ref: '4711', ring: 0 }])
    const browser = await openBrowser(sender, 'admin', { isInstallation: true })
    const changes: ['PUT' | 'POST' | 'PATCH', string][] = [
      ['PUT', '/pause'],
      ['PUT', '/resume'],
      ['PUT', '/plan/pause'],
      ['PUT', '/plan/obliterate'],
      ['PUT', '/plan/promote'],
      ['PUT', '/plan/concurrency'],
      ['PUT', '/plan/clean/completed'],
      ['POST', '/plan/add'],
      ['PATCH', '/plan/4711-r0/update-data'],
    ]
    for (const [method, url] of changes) {
      const refused = await browser.call(method, `${path}/api/queues${url}`, {})
      expect([url, refused.statusCode, refused.json()]).toEqual([
        url,
        403,
        { error: 'ERRORS.FORBIDDEN' },
      ])
    }
    expect(await scene.plan.bull.isPaused()).toBe(false)
    expect(await scene.plan.bull.getJobCountByTypes('waiting')).toBe(1)
    expect(await actions(sender)).toEqual([])
    await scene.close()
  })

  /** Lets a worker fail every job that waits. */
  async function failAll(
    bull: { getFailedCount(): Promise<number> },
    message: string,
  ): Promise<void> {
    const queues = openQueues({
      backend: backend ?? { kind: 'postgres', url: sender.databaseUrl },
      onError: () => {},
    })
    const worker = queues.worker(
      'plan',
      async () => {
        throw new Error(message)
      },
      { concurrency: 1, onError: () => {} },
    )
    await expect.poll(() => bull.getFailedCount(), { timeout: 20_000 }).toBe(3)
    await worker.close(1000)
    await queues.close()
  }
})

test('signed out, a page leads to the sign-in and its data is 401; a key alone opens nothing', async () => {
  sender = await startTestSender()
  for (const url of ['', '/', '/queue/plan']) {
    const page = await sender.app.inject({ url: path + url, headers: { accept: 'text/html' } })
    expect(page.statusCode).toBe(303)
    expect(page.headers.location).toBe(`/ops/sign-in?next=${encodeURIComponent(path + url)}`)
  }
  const { secret } = sender.tenant
  const basic = `Basic ${Buffer.from(`ops:${secret}`).toString('base64')}`
  for (const authorization of ['', `Bearer ${secret}`, basic]) {
    for (const url of ['/api/queues', '/static/favicon.ico', '']) {
      const headers = { authorization, cookie: 'pushkeep=abc' }
      const answer = await sender.app.inject({ url: path + url, headers })
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'signed_out'])
    }
  }
})

test('a change needs the token of its session, which its page gets in a cookie for it alone', async () => {
  sender = await startTestSender()
  const browser = await openBrowser(sender, 'operate', { isInstallation: true })
  const page = await browser.get(path)
  const cookie = String(page.headers['set-cookie'])
  expect(cookie).toBe(`XSRF-TOKEN=${browser.csrf}; Path=/ops/queues; SameSite=Strict`)
  const headers = { origin: 'http://localhost', host: 'localhost', cookie: browser.cookie }
  for (const token of ['', 'x', browser.csrf.slice(1)]) {
    const refused = await sender.app.inject({
      method: 'PUT',
      url: `${path}/api/queues/plan/empty`,
      headers: { ...headers, 'x-xsrf-token': token },
    })
    expect([refused.statusCode, refused.json().code]).toEqual([403, 'csrf_token'])
  }
})

test('it stands in no description, and its route alone in the log', async () => {
  sender = await startTestSender()
  const browser = await openBrowser(sender, 'read', { isInstallation: true })
  await browser.get(`${path}/queue/plan/17-r0`)
  const description = await sender.app.inject({ url: '/openapi.json' })
  expect(description.body).not.toContain('/ops')
  const requests = sender.lines.filter((line) => line.includes('/ops/queues'))
  expect(requests.map((line) => JSON.parse(line))).toMatchObject([
    { route: '/ops/queues/*', status: 200 },
  ])
  const log = sender.lines.join('')
  for (const secret of [browser.key, browser.csrf, browser.cookie])
    expect(log).not.toContain(secret)
})

test('a Redis that goes away later costs the dashboard its data, and nothing else', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-dashboard-'))
  const redis = await startRedis(directory)
  sender = await startTestSender(redis ? { queues: { kind: 'redis', url: redis.url } } : {})
  if (!redis) return
  const browser = await openBrowser(sender, 'read', { isInstallation: true })
  expect((await browser.get(`${path}/api/queues`)).statusCode).toBe(200)
  await redis.stop()
  await rm(directory, { recursive: true })
  const response = await browser.get(`${path}/api/queues`)
  expect(response.statusCode).toBe(503)
  expect(response.body).not.toContain('127.0.0.1')
  expect((await browser.get(path)).statusCode).toBe(200)
  expect(sender.lines.filter((line) => line.includes('the console')).length).toBeLessThan(3)
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
  const browser = await openBrowser(sender, 'read', { isInstallation: true })
  const began = performance.now()
  const responses = await Promise.all([browser.get(path), browser.get(`${path}/api/queues`)])
  for (const response of responses) {
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({ code: 'queues_unavailable' })
    expect(response.headers['retry-after']).toBe('1')
  }
  expect(performance.now() - began).toBeLessThan(8000)
  expect((await get(sender, '/health/ready')).statusCode).toBe(200)
})

test('a key of a workspace, whatever its role, sees and changes no queue', async () => {
  sender = await startTestSender()
  for (const role of ['read', 'operate', 'admin'] as const) {
    const browser = await openBrowser(sender, role)
    for (const [method, url] of [
      ['GET', path],
      ['GET', `${path}/api/queues?page=1&jobsPerPage=10`],
      ['PUT', `${path}/api/queues/apns-transactional/empty`],
      ['PUT', `${path}/api/queues/plan/retry/failed`],
    ] as const) {
      const answer = await browser.call(method, url)
      expect(answer.statusCode).toBe(403)
      expect(['installation_key_needed', 'role_needed']).toContain(answer.json().code)
    }
    expect((await browser.get('/ops/api/overview')).json().queues).toEqual([])
    expect((await browser.get('/ops/api/session')).json().key.is_installation).toBe(false)
  }
  expect(await actions(sender)).toEqual([])
})

test('changes are bounded by key, and each that was made is one entry', async () => {
  sender = await startTestSender()
  const browser = await openBrowser(sender, 'operate', { isInstallation: true })
  const statuses: number[] = []
  for (let n = 0; n < 40; n += 1) {
    const answer = await browser.call('PUT', `${path}/api/queues/plan/retry/failed`)
    statuses.push(answer.statusCode)
  }
  expect(statuses.filter((status) => status === 429)).toHaveLength(10)
  expect(await actions(sender)).toHaveLength(30)
  const other = await openBrowser(sender, 'operate', { isInstallation: true })
  expect((await other.call('PUT', `${path}/api/queues/plan/retry/failed`)).statusCode).not.toBe(429)
  expect((await browser.get('/ops/api/overview')).json().queues.length).toBeGreaterThan(2)
})
