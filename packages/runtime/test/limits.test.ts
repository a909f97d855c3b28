import type { FastifyPluginAsync } from 'fastify'
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  type Authenticate,
  buildServer,
  type Caller,
  callerOf,
  createLimiter,
  createLogger,
  createMetrics,
  type LimitName,
  limitConfig,
  noRates,
  type Rates,
  ratesOf,
  readConfig,
  type SharedSpending,
  shareLimits,
  spendItems,
  usualRates,
} from '../src/index.ts'
import { createBuckets } from '../src/limits/buckets.ts'
import { createLimitEvents } from '../src/limits/metrics.ts'

const slow = { perSecond: 1, burst: 4 }

/** A limiter whose clock the test moves. */
function held(rates: Partial<Rates>, bucketsMax = 1000) {
  const clock = { now: 0 }
  const refused: LimitName[] = []
  const limiter = createLimiter({
    rates: { ...noRates, ...rates },
    bucketsMax,
    now: () => clock.now,
    onRefused: (limit) => void refused.push(limit),
  })
  const spend = (name: string, cost = 1, limit: LimitName = 'person') =>
    limiter.spend([{ limit, name, cost }])
  return { clock, limiter, refused, spend }
}

test('a bucket lets its burst pass, refuses, and says when it lets the next one pass', () => {
  const { clock, refused, spend } = held({ person: slow })
  for (let n = 0; n < 4; n += 1) expect(spend('a')).toBeNull()
  expect(spend('a')).toEqual({ limit: 'person', afterSeconds: 1 })
  expect(spend('b')).toBeNull()
  clock.now = 1000
  expect(spend('a')).toBeNull()
  expect(spend('a')).not.toBeNull()
  expect(refused).toEqual(['person', 'person'])
})

test('a call that spends from several buckets spends from none where one is empty', () => {
  const { limiter, spend } = held({ person: slow, device: { perSecond: 1, burst: 1 } })
  const both = [
    { limit: 'person', name: 'a', cost: 1 },
    { limit: 'device', name: 't', cost: 1 },
  ] as const
  expect(limiter.spend(both)).toBeNull()
  expect(limiter.spend(both)?.limit).toBe('device')
  expect(limiter.levelOf('person', 'a')).toBe(3)
  expect(spend('a')).toBeNull()
})

test('a batch of more than the burst passes once, and is paid for', () => {
  const { clock, spend } = held({ person: slow })
  expect(spend('a', 14)).toBeNull()
  expect(spend('a')).toEqual({ limit: 'person', afterSeconds: 11 })
  clock.now = 11_000
  expect(spend('a')).toBeNull()
})

test('a limit that is off refuses nothing', () => {
  const { spend } = held({})
  for (let n = 0; n < 1000; n += 1) expect(spend('a')).toBeNull()
})

test('memory is bounded, and a bucket in use is not pushed out by new names', () => {
  const { limiter, spend } = held({ person: slow }, 100)
  for (let n = 0; n < 4; n += 1) spend('used')
  for (let n = 0; n < 10_000; n += 1) {
    spend(`new-${n}`)
    if (n % 20 === 0) expect(spend('used')).not.toBeNull()
    expect(limiter.all.get('person')?.size()).toBeLessThanOrEqual(100)
  }
})

/** What a store of counts does, without a process between. */
function sharedStore(clock: { now: number }) {
  const levels = new Map<string, { level: number; at: number }>()
  const calls: SharedSpending[][] = []
  return {
    calls,
    settle: async (spending: readonly SharedSpending[]) => {
      calls.push([...spending])
      return spending.map(({ key, rate, spent }) => {
        const kept = levels.get(key) ?? { level: rate.burst, at: clock.now }
        const back = ((clock.now - kept.at) / 1000) * rate.perSecond
        const level = Math.min(rate.burst, kept.level + back) - spent
        levels.set(key, { level, at: clock.now })
        return level
      })
    },
  }
}

test('processes that share their counts let pass together what one alone would', async () => {
  const clock = { now: 0 }
  const store = sharedStore(clock)
  const rate = { perSecond: 10, burst: 100 }
  const processes = [1, 2, 3].map(() => {
    const limiter = createLimiter({ rates: { ...noRates, person: rate }, now: () => clock.now })
    const sharing = shareLimits({ limiter, settle: store.settle, onError: () => {} })
    return { limiter, sharing }
  })
  let passed = 0
  for (let second = 0; second < 100; second += 1) {
    clock.now = second * 1000
    for (const { limiter } of processes) {
      for (let n = 0; n < 50; n += 1) {
        if (!limiter.spend([{ limit: 'person', name: 'a', cost: 1 }])) passed += 1
      }
    }
    for (const { sharing } of processes) await sharing.settleNow()
  }
  for (const { sharing } of processes) await sharing.stop()
  // The burst may be spent once more by each before they have told one another.
  expect(passed).toBeGreaterThanOrEqual(100 + 99 * 10)
  expect(passed).toBeLessThanOrEqual(3 * 100 + 99 * 10 + 100)
})

test('what leaves the process is a hash, and only of buckets that are half empty', async () => {
  const { clock, limiter, spend } = held({ person: slow })
  const store = sharedStore(clock)
  const sharing = shareLimits({ limiter, settle: store.settle, onError: () => {} })
  spend('calm@example.com')
  for (let n = 0; n < 3; n += 1) spend('busy@example.com')
  await sharing.settleNow()
  await sharing.settleNow()
  await sharing.stop()
  expect(store.calls).toHaveLength(1)
  expect(store.calls[0]).toEqual([
    { key: expect.stringMatching(/^[0-9a-f]{32}$/), rate: slow, spent: 3 },
  ])
})

test('what came back meanwhile is not told: a steady caller owes nothing', async () => {
  const { clock, limiter, spend } = held({ person: slow })
  const store = sharedStore(clock)
  const sharing = shareLimits({ limiter, settle: store.settle, onError: () => {} })
  for (let second = 0; second < 1000; second += 1) {
    clock.now = second * 1000
    expect(spend('steady')).toBeNull()
  }
  for (let n = 0; n < 3; n += 1) expect(spend('steady')).toBeNull()
  await sharing.settleNow()
  clock.now += 1000
  expect(spend('steady')).toBeNull()
  await sharing.stop()
})

test('while the shared counts are away a process counts by itself, and tells it all afterwards', async () => {
  const { clock, limiter, spend } = held({ person: slow })
  const store = sharedStore(clock)
  const errors: unknown[] = []
  let isAway = true
  const sharing = shareLimits({
    limiter,
    settle: async (spending) => {
      if (isAway) throw new Error('away')
      return store.settle(spending)
    },
    onError: (error) => void errors.push(error),
  })
  for (let n = 0; n < 4; n += 1) spend('a')
  await sharing.settleNow()
  expect(errors).toHaveLength(1)
  expect(spend('a')).not.toBeNull()
  clock.now = 1000
  expect(spend('a')).toBeNull()
  isAway = false
  await sharing.settleNow()
  await sharing.stop()
  expect(store.calls.flat().map(({ spent }) => spent)).toEqual([4])
})

test('two generations forget the oldest names first', () => {
  const buckets = createBuckets(slow, 4, () => 0)
  for (const name of ['a', 'b', 'c', 'd', 'e']) buckets.spend(name, 1)
  expect(buckets.level('a')).toBe(4)
  expect(buckets.level('e')).toBe(3)
})

const terms = { isInstallation: false, expiresAt: null, allowedAddresses: null }
const owner = { workspaceNo: 1, appNo: null, keyName: 'test', ...terms }
const callers: Record<string, Caller> = {
  'Bearer secret': { ...owner, keyId: 's', kind: 'secret', role: 'operate' },
  'Bearer public': { ...owner, keyId: 'p', kind: 'public', role: null },
}
const authenticate: Authenticate = (authorization) => callers[authorization ?? ''] ?? null

function serve(rates: Partial<Rates>, trustedProxies?: string) {
  const app = buildServer({
    logger: createLogger({ name: 'test', level: 'silent' }),
    title: 'Test',
    description: 'A test',
    version: '1',
    authenticate,
    trustedProxies,
    limiter: createLimiter({ rates: { ...noRates, ...rates }, now: () => 0 }),
  })
  const routes: FastifyPluginAsync = async (scope) => {
    scope.post('/', { config: { access: 'public' } }, async (request) => {
      spendItems(request, callerOf(request), Number(request.headers['x-items'] ?? 1))
      return {}
    })
    scope.get('/secret', { config: { access: 'secret' } }, async () => ({}))
  }
  app.register(routes)
  const call = (headers: Record<string, string>, url = '/', remoteAddress = '192.0.2.1') =>
    app.inject({ method: url === '/' ? 'POST' : 'GET', url, headers, remoteAddress })
  return { app, call }
}

const asPublic = { authorization: 'Bearer public' }
const asSecret = { authorization: 'Bearer secret' }

test('a public key is counted by its address, and told when to come back and why', async () => {
  const { call } = serve({ address: { perSecond: 0.5, burst: 2 } })
  expect((await call(asPublic)).statusCode).toBe(200)
  expect((await call(asPublic)).statusCode).toBe(200)
  const refused = await call(asPublic)
  expect(refused.statusCode).toBe(429)
  expect(refused.headers).toMatchObject({
    'retry-after': '2',
    'ratelimit-policy': '"address";q=2;w=4',
    ratelimit: '"address";r=0;t=2',
    'content-type': 'application/problem+json; charset=utf-8',
  })
  expect(refused.json()).toEqual({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Too Many Requests',
    status: 429,
    detail: 'too many calls with this key from one address: wait 2 s',
    code: 'too_many_requests',
    'violated-policies': ['address'],
  })
  expect((await call(asPublic, '/', '192.0.2.2')).statusCode).toBe(200)
  expect((await call(asSecret)).statusCode).toBe(200)
})

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', 429],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', 200],
  ['::ffff:192.0.2.1', '192.0.2.1', 429],
  ['::1', '::2', 429],
])('an address %s and %s: %d', async (first, second, status) => {
  const { call } = serve({ address: { perSecond: 1, burst: 1 } })
  expect((await call(asPublic, '/', first)).statusCode).toBe(200)
  expect((await call(asPublic, '/', second)).statusCode).toBe(status)
})

test('behind a proxy that is trusted the client counts, behind another one the proxy', async () => {
  const rates = { address: { perSecond: 1, burst: 1 } }
  const from = (client: string) => ({ ...asPublic, 'x-forwarded-for': client })
  const trusting = serve(rates, '10.0.0.0/8')
  expect((await trusting.call(from('192.0.2.7'), '/', '10.0.0.1')).statusCode).toBe(200)
  expect((await trusting.call(from('192.0.2.8'), '/', '10.0.0.1')).statusCode).toBe(200)
  expect((await trusting.call(from('192.0.2.8'), '/', '10.0.0.1')).statusCode).toBe(429)
  const careful = serve(rates)
  expect((await careful.call(from('192.0.2.7'), '/', '10.0.0.1')).statusCode).toBe(200)
  expect((await careful.call(from('192.0.2.8'), '/', '10.0.0.1')).statusCode).toBe(429)
})

test('a secret key is counted from everywhere, and told how it stands', async () => {
  const { call } = serve({ secret_key: { perSecond: 1, burst: 3 } })
  const first = await call(asSecret)
  expect(first.headers.ratelimit).toBe('"secret_key";r=2')
  expect(first.headers['ratelimit-policy']).toBe('"secret_key";q=3;w=3')
  await call(asSecret, '/', '192.0.2.2')
  expect((await call(asSecret, '/', '192.0.2.3')).headers.ratelimit).toBe('"secret_key";r=0')
  expect((await call(asSecret, '/', '192.0.2.4')).statusCode).toBe(429)
})

test('the items of a batch, and large bodies, count as more calls than one', async () => {
  const { call } = serve({ address: { perSecond: 1, burst: 10 } })
  expect((await call({ ...asPublic, 'x-items': '9' })).statusCode).toBe(200)
  expect((await call(asPublic)).statusCode).toBe(200)
  expect((await call(asPublic)).statusCode).toBe(429)
  const large = serve({ address: { perSecond: 1, burst: 7 } })
  const send = () =>
    large.app.inject({
      method: 'POST',
      url: '/',
      headers: { ...asPublic, 'content-type': 'application/json' },
      payload: JSON.stringify('x'.repeat(90_000)),
    })
  expect((await send()).statusCode).toBe(200)
  expect((await send()).statusCode).toBe(200)
  expect((await send()).statusCode).toBe(429)
})

test('a key that may not call a route is counted all the same', async () => {
  const { call } = serve({ address: { perSecond: 1, burst: 1 } })
  expect((await call(asPublic, '/secret')).statusCode).toBe(403)
  expect((await call(asPublic, '/secret')).statusCode).toBe(429)
})

test('wrong keys from one address are told to wait; a right one never is', async () => {
  const { call } = serve({ refusals: { perSecond: 1, burst: 3 } })
  const wrong = { authorization: 'Bearer wrong' }
  for (let n = 0; n < 3; n += 1) expect((await call(wrong)).statusCode).toBe(401)
  const refused = await call(wrong)
  expect(refused.statusCode).toBe(429)
  expect(refused.json()['violated-policies']).toEqual(['refusals'])
  expect((await call(asPublic)).statusCode).toBe(200)
  expect((await call(wrong, '/', '192.0.2.9')).statusCode).toBe(401)
})

test('limits are settings; what is no rate is named', () => {
  const schema = z.object(limitConfig('address', 'person'))
  expect(ratesOf(readConfig(schema, {})).address).toEqual(usualRates.address)
  expect(ratesOf(readConfig(schema, { LIMIT_PERSON: '0', LIMIT_ADDRESS: '5/m' }))).toMatchObject({
    person: null,
    address: { perSecond: 5 / 60, burst: 5 },
    messages: null,
  })
  expect(() => readConfig(schema, { LIMIT_ADDRESS: 'many' })).toThrow(
    'LIMIT_ADDRESS must be a rate such as 100/s burst 1000',
  )
})

test('refusals are counted by limit, and by nothing else', async () => {
  const metrics = createMetrics({ name: 'test', version: '1' })
  const rates = { ...noRates, person: slow }
  const events = createLimitEvents(metrics, rates)
  const limiter = createLimiter({ rates, onRefused: events.refused, now: () => 0 })
  events.watch(limiter)
  for (let n = 0; n < 6; n += 1) limiter.spend([{ limit: 'person', name: 'secret-name', cost: 1 }])
  const text = await metrics.text()
  expect(text).toContain('pushkeep_limited_total{limit="person"} 2')
  expect(text).toContain('pushkeep_limit_buckets{limit="person"} 1')
  expect(text).not.toContain('secret-name')
})
