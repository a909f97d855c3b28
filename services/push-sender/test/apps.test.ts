import { addActivity, finishTrial, pauseProvider, takeTrial, tripGuard } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDevice, apnsToken, get, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
  for (const { appNo } of sender.tenant.apps) {
    await sender.database.query(
      `insert into app_providers (app_no, provider, settings, secret) values ($1, 'apns', '{}', '')`,
      [appNo],
    )
  }
})
afterAll(() => sender[Symbol.asyncDispose]())

function resume(path: string, key: string, body?: object) {
  return sender.app.inject({
    method: 'POST',
    url: path,
    headers: { authorization: `Bearer ${key}` },
    ...(body && { payload: body }),
  })
}

test('a paused lane says why, and goes on by one call', async () => {
  const { apps, secret } = sender.tenant
  const [app] = apps
  await pauseProvider(sender.database, app.appNo, 'apns', 'InvalidProviderToken')
  expect((await get(sender, `/v1/apps/${app.id}`)).json()).toEqual({
    id: app.id,
    name: 'first',
    providers: [
      {
        provider: 'apns',
        paused: true,
        paused_at: expect.any(String),
        pause_reason: 'InvalidProviderToken',
        pause_cause: null,
        guard: null,
        breaker: null,
        held_messages: [],
      },
    ],
  })
  const path = `/v1/apps/${app.id}/providers/apns/resume`
  const token = apnsToken(77)
  await addDevice(sender, { app, personId: 'ann', token })
  expect((await post(sender, { to: { token }, content: { title: 'waits' } })).statusCode).toBe(202)
  const waiting = await resume(path, secret)
  expect([waiting.statusCode, waiting.json()]).toEqual([
    200,
    { resumed: false, said: expect.stringContaining('No worker runs'), tried: [], restored: 0 },
  ])
  const trial = await takeTrial(sender.database)
  if (!trial) throw new Error('there is no trial')
  await finishTrial(sender.database, trial, { opened: true, tried: [] })
  expect((await get(sender, `/v1/apps/${app.id}`)).json().providers[0]).toMatchObject({
    paused: false,
    pause_reason: null,
  })
  expect((await resume(path, secret)).json()).toMatchObject({ resumed: true, restored: 0 })
})

test('a paused lane that nothing waits for goes on without a worker', async () => {
  const [, app] = sender.tenant.apps
  await pauseProvider(sender.database, app.appNo, 'apns', 'InvalidProviderToken')
  const resumed = await resume(`/v1/apps/${app.id}/providers/apns/resume`, sender.tenant.secret)
  expect(resumed.json()).toEqual({
    resumed: true,
    said: expect.stringContaining('Nothing waited'),
    tried: [],
    restored: 0,
  })
})

test('an open breaker and a message that is held back are told, with the time of the next try', async () => {
  const [app] = sender.tenant.apps
  const openUntil = Date.now() + 60_000
  const messageId = '0193575e-0000-7000-8000-0000000000aa'
  const of = { appNo: app.appNo, provider: 'apns' as const, refusals: 2 }
  await addActivity(
    sender.database,
    {
      worker: '0193575e-0000-4000-8000-0000000000bb',
      startedAt: 0,
      breakers: [
        { ...of, messageId: null, openUntil: openUntil - 5000 },
        { ...of, messageId: null, openUntil },
        { ...of, messageId, openUntil: openUntil + 5000 },
        { ...of, provider: 'fcm', messageId: null, openUntil: openUntil + 5000 },
      ],
    },
    [],
    [],
  )
  expect((await get(sender, `/v1/apps/${app.id}`)).json().providers).toMatchObject([
    {
      provider: 'apns',
      paused: false,
      breaker: { open_until: new Date(openUntil).toISOString(), refusals: 2 },
      held_messages: [messageId],
    },
  ])
})

test('a mass bounce is undone by one call', async () => {
  const { apps, secret } = sender.tenant
  const [app] = apps
  const { deviceNo } = await addDevice(sender, { app, personId: 'ana', token: apnsToken(1) })
  await sender.database.query(
    `with dead as (
       update devices set dead_at = now(), dead_reason = 'Unregistered', last_status = 'bounced'
       where device_no = $1 returning device_no, dead_at
     )
     insert into device_events (device_no, at, kind, detail)
     select device_no, dead_at, 'bounced', '{"token_retired": true, "before": "sent"}' from dead`,
    [deviceNo],
  )
  await tripGuard(sender.database, app.appNo, 'apns', 'mass bounce')
  const answer = await resume(`/v1/apps/${app.id}/providers/apns/resume`, secret, {
    bounces: 'undo',
  })
  expect(answer.json()).toMatchObject({ resumed: true, restored: 1 })
  const { rows } = await sender.database.query(
    'select last_status, dead_at from devices where device_no = $1',
    [deviceNo],
  )
  expect(rows).toEqual([{ last_status: 'sent', dead_at: null }])
})

test('tokens that were retired within a range are brought back by one call, which is on record', async () => {
  const { apps, secret } = sender.tenant
  const [app] = apps
  const { deviceNo } = await addDevice(sender, { app, personId: 'bea', token: apnsToken(2) })
  await sender.database.query(
    `with dead as (
       update devices set dead_at = now() - interval '2 hours', last_status = 'bounced'
       where device_no = $1 returning device_no, dead_at
     )
     insert into device_events (device_no, at, kind, detail)
     select device_no, dead_at, 'bounced', '{"token_retired": true, "before": "sent"}' from dead`,
    [deviceNo],
  )
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  const path = `/v1/apps/${app.id}/providers/apns/bounces`
  const range = { from: hoursAgo(3), to: hoursAgo(1) }
  const backwards = { decision: 'undo', from: range.to, to: range.from }
  const refused = await resume(path, secret, backwards)
  expect([refused.statusCode, refused.json().errors[0].path]).toEqual([422, 'to'])
  const undone = await resume(path, secret, { decision: 'undo', ...range })
  expect([undone.statusCode, undone.json()]).toEqual([200, { restored: 1 }])
  const { rows } = await sender.database.query(
    `select detail from audit_log where action = 'provider.bounces' and target = $1`,
    [app.id],
  )
  expect(rows).toEqual([{ detail: { provider: 'apns', decision: 'undo', restored: 1, ...range } }])
})

test("another workspace's app, another app's key and what does not exist are 404", async () => {
  const { apps, secret, appSecret } = sender.tenant
  const [mine, second] = apps
  const [theirs] = sender.other.apps
  for (const id of [theirs.id, 'nonsense', '00000000-0000-7000-8000-000000000000']) {
    expect((await get(sender, `/v1/apps/${id}`)).statusCode).toBe(404)
    expect((await resume(`/v1/apps/${id}/providers/apns/resume`, secret)).statusCode).toBe(404)
  }
  const path = `/v1/apps/${second.id}/providers/apns/resume`
  expect((await resume(path, appSecret)).statusCode).toBe(404)
  expect((await resume(`/v1/apps/${mine.id}/providers/fcm/resume`, secret)).json().code).toBe(
    'unknown_provider',
  )
})

test('what is wrong is named', async () => {
  const { apps, secret } = sender.tenant
  const path = `/v1/apps/${apps[0].id}/providers`
  const unknown = await resume(`${path}/gcm/resume`, secret)
  expect([unknown.statusCode, unknown.json().errors[0].path]).toEqual([422, 'provider'])
  const body = await resume(`${path}/apns/resume`, secret, { bounces: 'forget' })
  expect([body.statusCode, body.json().errors[0].path]).toEqual([422, 'bounces'])
})
