import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { type CollectedSpan, type Collector, spanKinds, startCollector } from './collector.ts'
import { done, inParallel, iosToken, type System, send, startSystem } from './system.ts'

const soon = { timeout: 30_000, interval: 100 }

async function startTraced(collector: Collector): Promise<System> {
  const { environment } = collector
  return startSystem({
    workers: 2,
    env: { registry: environment, sender: environment, workers: environment },
  })
}

/** A caller's own trace, as its backend would send it along. */
function callersTrace() {
  const traceId = randomBytes(16).toString('hex')
  const spanId = randomBytes(8).toString('hex')
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` }
}

/** The spans above one, up to the caller's. */
function pathOf(span: CollectedSpan, spans: readonly CollectedSpan[]): string[] {
  const parent = spans.find((other) => other.spanId === span.parentSpanId)
  return parent ? [...pathOf(parent, spans), span.name] : [span.name]
}

test('one trace leads from the caller through sender, outbox and queue to the provider', async () => {
  await using collector = await startCollector()
  await using system = await startTraced(collector)
  const { traceId, spanId, traceparent } = callersTrace()
  const { registry_url, sender_url } = system.local
  const token = iosToken()
  const registered = await system.call(
    'PUT',
    `${registry_url}/v1/people/ana/devices`,
    { device: { id: token, platform: 'ios' } },
    { traceparent },
  )
  expect(registered.status).toBe(200)
  const sent = await system.call(
    'POST',
    `${sender_url}/v1/messages`,
    { to: { person_id: 'ana' }, content: { title: 'Hello' } },
    { traceparent },
  )
  await done(system, sent.body.id)

  const ours = () => collector.spans.filter((span) => span.traceId === traceId)
  const named = (name: string) => ours().filter((span) => span.name === name)
  await expect.poll(() => named('push apns').length, soon).toBe(1)
  await expect.poll(() => named('process apns-transactional').length, soon).toBe(1)
  await expect.poll(() => named('deliver chunk').length, soon).toBe(1)

  const [push] = named('push apns')
  if (!push) throw new Error('no push')
  expect(pathOf(push, ours())).toEqual([
    'POST /v1/messages',
    'ring apns-transactional',
    'process apns-transactional',
    'deliver chunk',
    'push apns',
  ])
  expect(push).toMatchObject({
    kind: spanKinds.client,
    service: 'pushkeep-workers',
    attributes: { 'pushkeep.outcome.accepted': 1 },
  })
  const [post] = named('POST /v1/messages')
  expect(post).toMatchObject({
    kind: spanKinds.server,
    parentSpanId: spanId,
    service: 'pushkeep-push-sender',
    attributes: { 'http.response.status_code': 202, 'pushkeep.message_id': sent.body.id },
  })
  expect(named('deliver chunk')[0]?.attributes).toMatchObject({
    'pushkeep.message_id': sent.body.id,
    'pushkeep.sent': 1,
    'pushkeep.ended': 'done',
  })
  expect(named('PUT /v1/people/:id/devices')[0]).toMatchObject({
    parentSpanId: spanId,
    service: 'pushkeep-token-registry',
  })
  expect(new Set(ours().map(({ service }) => service)).size).toBe(3)
  expect(collector.text()).not.toContain(token)

  // Nothing that was not asked for: no span of a queue's upkeep, no trace of a health check.
  const roots = collector.spans.filter((span) => span.parentSpanId === null)
  expect(roots.filter(({ kind }) => kind !== spanKinds.server)).toEqual([])
}, 120_000)

test('a broadcast is a span a chunk, and a public key’s trace is its own', async () => {
  await using collector = await startCollector()
  await using system = await startTraced(collector)
  const { registry_url, public_key } = system.local
  const theirs = callersTrace()
  const tokens = Array.from({ length: 1200 }, iosToken)
  await inParallel(tokens, 32, async (token) => {
    const answer = await system.call(
      'PUT',
      `${registry_url}/v1/devices/${token}`,
      { platform: 'ios' },
      { authorization: `Bearer ${public_key}`, traceparent: theirs.traceparent },
    )
    expect(answer.status).toBe(200)
  })
  const id = await send(system, { to: { all: true }, content: { title: 'Hello' } })
  await done(system, id)
  const chunks = () =>
    collector.spans.filter(
      ({ name, attributes }) =>
        name === 'deliver chunk' && attributes['pushkeep.message_id'] === id,
    )
  await expect.poll(() => chunks().length, soon).toBe(3)
  const [chunk] = chunks()
  const trace = () => collector.spans.filter((span) => span.traceId === chunk?.traceId)
  await expect.poll(() => trace().filter(({ name }) => name === 'push apns').length, soon).toBe(3)
  await expect
    .poll(() => trace().filter(({ name }) => name === 'process plan').length, soon)
    .toBe(1)
  const sums = chunks().map(({ attributes }) => Number(attributes['pushkeep.sent']))
  expect(sums.reduce((sum, sent) => sum + sent, 0)).toBe(1200)
  // One a push it is not: request, plan, and five a chunk.
  expect(trace().length).toBeLessThan(30)
  expect(collector.spans.filter(({ traceId }) => traceId === theirs.traceId)).toEqual([])
}, 120_000)
