import { expect, test } from 'vitest'
import { deliveries, done, inParallel, iosToken, send, startSystem } from './system.ts'

test('a fault of configuration pauses the app with a reason, costs no token and burns no message', async () => {
  await using system = await startSystem()
  const token = iosToken()
  await system.registry('PUT', '/v1/people/ana/devices', { device: { id: token, platform: 'ios' } })
  await system.simulator('PUT', `/tokens/${token}`, {
    behaviour: { kind: 'status', status: 403, reason: 'InvalidProviderToken' },
  })
  const id = await send(system, { to: { person_id: 'ana' }, content: { title: 'Hello' } })
  const app = `/v1/apps/${system.local.app_id}`
  const lane = async () => {
    const { body } = await system.sender('GET', app)
    return body.providers.find((one: { provider: string }) => one.provider === 'apns')
  }
  await expect
    .poll(lane, { timeout: 10_000 })
    .toMatchObject({ paused: true, pause_reason: 'InvalidProviderToken' })
  const { body } = await system.registry('GET', `/v1/devices/${token}`)
  expect(body.attributes).toMatchObject({ _last_status: '', push_enabled: 'true' })
  await system.simulator('DELETE', `/tokens/${token}`)
  await system.sender('POST', `${app}/providers/apns/resume`, {})
  expect((await done(system, id, 60_000)).counts).toMatchObject({ sent: 1, pending: 0 })
  expect((await lane()).paused).toBe(false)
}, 120_000)

test("a killed worker's chunks go on within ten seconds, and nothing recorded is sent again", async () => {
  await using system = await startSystem({ workers: 2 })
  const tokens = Array.from({ length: 600 }, iosToken)
  await inParallel(tokens, 32, (token, n) =>
    system.registry('PUT', `/v1/people/p${n}/devices`, { device: { id: token, platform: 'ios' } }),
  )
  await system.simulator('PUT', '/faults', { apns: { delay_ms: 400 } })
  const id = await send(system, { to: { all: true }, content: { title: 'Hello' } })
  await expect
    .poll(async () => (await system.simulator('GET', '/received/count')).body.requests)
    .toBeGreaterThan(100)
  await system.killWorker(0)
  const killedAt = Date.now()
  expect((await done(system, id)).counts).toMatchObject({ recipients: 600, sent: 600 })
  expect(Date.now() - killedAt).toBeLessThan(15_000)
  expect(await deliveries(system, id)).toHaveLength(600)
  const { body } = await system.simulator('GET', '/received/count')
  expect(body.distinct_tokens).toBe(600)
  // What was in flight when the worker died is unknown, and the only thing that may come twice.
  expect(body.duplicates).toBeLessThanOrEqual(600)
}, 120_000)

test('with the queue wiped in the middle, everything accepted is sent once', async () => {
  await using system = await startSystem({ workers: 2, logLevel: 'error' })
  const tokens = Array.from({ length: 400 }, iosToken)
  await inParallel(tokens, 32, (token, n) =>
    system.registry('PUT', `/v1/people/p${n}/devices`, { device: { id: token, platform: 'ios' } }),
  )
  await system.simulator('PUT', '/faults', { apns: { delay_ms: 100 } })
  const broadcast = await send(system, { to: { all: true }, content: { title: 'Hello' } })
  const single = await Promise.all(
    tokens
      .slice(0, 40)
      .map((_, n) => send(system, { to: { person_id: `p${n}` }, content: { title: 'For you' } })),
  )
  await system.wipeQueue()
  for (const id of [broadcast, ...single]) await done(system, id, 90_000)
  const { body } = await system.simulator('GET', '/received/count')
  expect(body).toMatchObject({ accepted: 440, duplicates: 0 })
}, 180_000)
