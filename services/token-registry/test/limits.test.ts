import { createLimiter, noRates, type Rates } from '@pushkeep/runtime'
import { expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

function registryWith(rates: Partial<Rates>) {
  // A clock that stands: what is spent does not come back within a test.
  return createRegistry({
    limiter: createLimiter({ rates: { ...noRates, ...rates }, now: () => 0 }),
  })
}

const rate = (burst: number) => ({ perSecond: 0.1, burst })

test('one person is written so often by a public key; another, and a backend, are not held up', async () => {
  await using registry = await registryWith({ person: rate(3) })
  const { call, publicKey } = registry
  const write = (id: string, key = publicKey) =>
    call(
      'PUT',
      `/v1/people/${id}/devices`,
      { device: { id: randomToken(), platform: 'ios' } },
      { key },
    )
  for (let n = 0; n < 3; n += 1) expect((await write('a')).status).toBe(200)
  const before = await registry.countRows()
  const refused = await write('a')
  expect(refused.status).toBe(429)
  expect(refused.body).toMatchObject({
    code: 'too_many_requests',
    'violated-policies': ['person'],
  })
  expect(refused.headers['retry-after']).toBe('10')
  expect(await registry.countRows()).toEqual(before)
  expect(
    (await call('PUT', '/v1/people/a', { attributes: { a: 1 } }, { key: publicKey })).status,
  ).toBe(429)
  expect((await write('b')).status).toBe(200)
  expect((await write('a', registry.secretKey)).status).toBe(200)
})

test('one token is written so often, whichever route it comes by', async () => {
  await using registry = await registryWith({ device: rate(3) })
  const { call, publicKey: key } = registry
  const token = randomToken()
  const body = { platform: 'ios' }
  expect((await call('PUT', `/v1/devices/${token}`, body, { key })).status).toBe(200)
  expect((await call('POST', `/v1/devices/${token}/clear-identify`, {}, { key })).status).toBe(200)
  expect((await call('DELETE', `/v1/devices/${token}`, undefined, { key })).status).toBe(204)
  for (const [method, url] of [
    ['PUT', `/v1/devices/${token}`],
    ['POST', `/v1/devices/${token}/clear-identify`],
    ['DELETE', `/v1/devices/${token}`],
    ['DELETE', `/v1/people/a/devices/${token}`],
    ['PUT', '/api/v1/customers/a/devices'],
  ] as const) {
    const sent =
      method === 'DELETE'
        ? undefined
        : url.includes('/api/')
          ? { device: { id: token, ...body } }
          : method === 'PUT'
            ? body
            : {}
    const { status } = await call(method, url, sent, { key })
    expect(status, `${method} ${url}`).toBe(429)
  }
  expect((await call('PUT', `/v1/devices/${randomToken()}`, body, { key })).status).toBe(200)
})

test('events of a person and of a workspace are counted by the day', async () => {
  await using registry = await registryWith({ person_events: rate(2), workspace_events: rate(4) })
  const { call, publicKey: key } = registry
  const tell = (id: string, options = { key }) =>
    call('POST', `/v1/people/${id}/events`, { name: 'x' }, options)
  expect((await tell('a')).status).toBe(200)
  expect((await tell('a')).status).toBe(200)
  expect((await tell('a')).body['violated-policies']).toEqual(['person_events'])
  expect((await tell('b')).status).toBe(200)
  expect((await tell('c', { key: registry.secretKey })).status).toBe(200)
  expect((await tell('d', { key: registry.secretKey })).body['violated-policies']).toEqual([
    'workspace_events',
  ])
})

const item = (userId: string, n: number) => ({
  type: 'track',
  userId,
  event: `e${n}`,
  messageId: `${userId}-${n}`,
})

test('a batch counts by its items; over the limit all of it is kept by its client, and nothing stored', async () => {
  await using registry = await registryWith({ address: rate(10) })
  const { call, publicKey: key } = registry
  const batch = { batch: Array.from({ length: 10 }, (_, n) => item('a', n)) }
  expect((await call('POST', '/v1/batch', batch, { key })).status).toBe(200)
  const before = await registry.countRows()
  const refused = await call('POST', '/v1/batch', { batch: [item('a', 20)] }, { key })
  expect(refused.status).toBe(429)
  expect(refused.headers['retry-after']).toBe('10')
  expect(refused.body.code).toBe('too_many_requests')
  expect((await call('POST', '/api/v2/batch', { batch: [] }, { key })).status).toBe(429)
  expect((await call('POST', '/v1/receipts', { receipts: [{}] }, { key })).status).toBe(429)
  expect((await call('GET', `/v1/devices/${randomToken()}/own`, undefined, { key })).status).toBe(
    429,
  )
  expect(await registry.countRows()).toEqual(before)
})

test('of a batch with a person over the limit all is refused, unless it is a list of Track v2', async () => {
  await using registry = await registryWith({ person_events: rate(1) })
  const { call, publicKey: key } = registry
  const send = (items: object[], headers = {}) =>
    call('POST', '/v1/batch', { batch: items }, { key, headers })
  expect((await send([item('a', 1), item('a', 2)])).status).toBe(200)
  const before = await registry.countRows()
  expect((await send([item('b', 1), item('a', 3)])).status).toBe(429)
  expect(await registry.countRows()).toEqual(before)
  // A phone that reads verdicts drops what one refuses: it keeps its queue upon 429 alone.
  const told = await send([item('b', 1), item('a', 3)], { 'x-item-verdicts': 'true' })
  expect(told.status).toBe(429)
  expect(Number(told.headers['retry-after'])).toBeGreaterThan(0)
  expect(await registry.countRows()).toEqual(before)
  const operation = (id: string) => ({
    type: 'person',
    action: 'event',
    identifiers: { id },
    name: 'x',
  })
  const listed = await call(
    'POST',
    '/api/v2/batch',
    { batch: [operation('c'), operation('a')] },
    { key },
  )
  expect(listed.status).toBe(207)
  expect(listed.body.errors).toEqual([
    expect.objectContaining({ batch_index: 1, reason: 'too_many_requests' }),
  ])
})

test('unproven calls of one address leave the person what another may write', async () => {
  await using registry = await registryWith({ person: rate(1) })
  const write = (remoteAddress: string) =>
    registry.app.inject({
      method: 'PUT',
      url: '/v1/people/victim',
      headers: { authorization: `Bearer ${registry.publicKey}` },
      remoteAddress,
    })
  expect((await write('192.0.2.1')).statusCode).toBe(200)
  expect((await write('192.0.2.1')).statusCode).toBe(429)
  expect((await write('192.0.2.2')).statusCode).toBe(200)
})

test('bodies whose key is inside are bounded by address before they are read; keys in headers are not', async () => {
  await using registry = await registryWith({ keyless_bytes: rate(2000) })
  const { app, publicKey, secretKey } = registry
  const batch = (writeKey: string | null, authorization?: string, size = 500) =>
    app.inject({
      method: 'POST',
      url: '/v1/batch',
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
      payload: JSON.stringify({
        ...(writeKey === null ? {} : { writeKey }),
        batch: [],
        filling: 'x'.repeat(size),
      }),
    })
  expect((await batch(publicKey)).statusCode).toBe(200)
  expect((await batch('pk_nobody')).statusCode).toBe(401)
  // What is larger than is left is taken once, and paid for by those that follow.
  expect((await batch(publicKey, undefined, 5000)).statusCode).toBe(200)
  const refused = await batch(publicKey)
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, expect.any(String)])
  // What cannot be read is refused before it is read.
  const nonsense = await app.inject({
    method: 'POST',
    url: '/v1/batch',
    headers: { 'content-type': 'application/json' },
    payload: '{'.repeat(3000),
  })
  expect(nonsense.statusCode).toBe(429)
  const basic = `Basic ${Buffer.from(`${publicKey}:`).toString('base64')}`
  expect((await batch(null, basic, 5000)).statusCode).toBe(200)
  expect((await batch(null, `Bearer ${secretKey}`, 5000)).statusCode).toBe(200)
})
