import { randomBytes } from 'node:crypto'
import {
  addActivity,
  countAccepted,
  countDevices,
  createKey,
  pauseProvider,
  readAudit,
  tokenHash,
} from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Browser, openBrowser } from './console.ts'
import { addDevice, apnsToken, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
let admin: Browser
beforeAll(async () => {
  sender = await startTestSender()
  admin = await openBrowser(sender, 'admin')
  for (const { appNo } of sender.tenant.apps) {
    await sender.database.query(
      `insert into app_providers (app_no, provider, settings, secret)
       values ($1, 'apns', '{"topic": "com.example.shop"}', '')`,
      [appNo],
    )
  }
})
afterAll(() => sender[Symbol.asyncDispose]())

let count = 100
/** A person with a phone of the first app. */
async function createPerson(options: { app?: 0 | 1; id?: string } = {}) {
  count += 1
  const app = sender.tenant.apps[options.app ?? 0]
  const token = apnsToken(count)
  const personId = options.id ?? `person ${count}`
  const { deviceNo, personNo } = await addDevice(sender, { app, personId, token })
  const fingerprint = tokenHash(token)
  const url = `/ops/api/apps/${app.id}/devices/${fingerprint}`
  return { app, token, personId, deviceNo, personNo, fingerprint, url }
}

/** Accepts a message over the API; its number too. */
async function send(to: object, extra: object = {}) {
  const answer = await post(sender, { to, content: { title: 'Hello', body: 'World' }, ...extra })
  const { id } = answer.json()
  const { rows } = await sender.database.query<{ no: string }>(
    'select message_no::text as no from messages where id = $1',
    [id],
  )
  return { id, messageNo: rows[0]?.no ?? '' }
}

const codes = { pending: 0, sent: 1, bounced: 2, suppressed: 3, failed: 4, expired: 5 }

/** Writes an outcome as the workers would. */
async function settle(
  messageNo: string,
  { deviceNo, personNo }: { deviceNo: string; personNo: string },
  status: keyof typeof codes,
  reason: string | null = null,
) {
  await sender.database.query(
    `with d as (
       insert into deliveries (message_no, device_no, person_no, at, status, attempts, reason)
       values ($1, $2, $3, now(), $4, 1, $5)
     ), c as (
       update message_counts set ${status} = ${status} + 1 where message_no = $1
     )
     update chunks set state = 'done', settled = size where message_no = $1`,
    [messageNo, deviceNo, personNo, codes[status], reason],
  )
}

const personUrl = (id: string) => `/ops/api/people/${encodeURIComponent(id)}`

async function actions(limit = 3) {
  const page = { workspaceNo: sender.tenant.workspaceNo, appNo: null, before: null, limit }
  return (await readAudit(sender.database, page)).entries
}

test('the overview counts what was accepted and settled, by minute', async () => {
  const { database, tenant } = sender
  const { appNo } = tenant.apps[0]
  const one = await createPerson()
  await send({ person_id: one.personId })
  await countAccepted(database, 1)
  const minute = Math.floor(Date.now() / 60_000) * 60_000
  await addActivity(
    database,
    { worker: '0193575e-0000-4000-8000-00000000000a', startedAt: 0, breakers: [] },
    [
      {
        appNo,
        provider: 'apns',
        minute,
        settled: { sent: 90, bounced: 4, suppressed: 3, failed: 2, expired: 1 },
        calls: {
          accepted: 90,
          'token-dead': 4,
          'message-refused': 2,
          misconfigured: 0,
          ambiguous: 0,
          throttled: 0,
          unavailable: 4,
        },
        latency: [0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0],
        trouble: 'ServiceUnavailable',
      },
    ],
    [],
  )
  await countDevices(database)
  const overview = (await admin.get('/ops/api/overview')).json()
  expect(overview.minutes).toHaveLength(61)
  const busy = overview.minutes.filter((one: { sent: number }) => one.sent > 0)
  expect(busy).toEqual([
    expect.objectContaining({ sent: 90, bounced: 4, suppressed: 3, failed: 2, expired: 1 }),
  ])
  expect(overview.minutes.at(-1).accepted + overview.minutes.at(-2).accepted).toBe(1)
  expect(overview.workers).toEqual({ alive: 1, missed: 0 })
  expect(overview.providers[0]).toMatchObject({
    app_id: tenant.apps[0].id,
    provider: 'apns',
    paused: null,
    breaker: null,
    calls: { accepted: 90, token_dead: 4, unavailable: 4 },
    latency_ms: { p50: 35, p95: 49, p99: 50 },
    trouble: 'ServiceUnavailable',
  })
  expect(overview.devices).toMatchObject({ is_estimate: false })
  expect(overview.devices.counts[0]).toMatchObject({ platform: 'ios', reachable: 1, dead: 0 })
  expect(overview.backlog.lanes).toEqual([
    expect.objectContaining({ provider: 'apns', lane: 'transactional', waiting: 1 }),
  ])
  // The queues hold the jobs of every workspace.
  expect(overview.queues).toEqual([])
  const operator = await openBrowser(sender, 'read', { isInstallation: true })
  const { queues } = (await operator.get('/ops/api/overview')).json()
  expect(queues.map(({ name }: { name: string }) => name)).toContain('apns-bulk')
  expect(overview.problems).toEqual([])
})

test('the overview says what is wrong: a paused lane, an open breaker, no worker', async () => {
  const { database, other } = sender
  const browser = await openBrowser(sender, 'read', { tenant: other })
  const { appNo, id } = other.apps[0]
  await database.query(
    `insert into app_providers (app_no, provider, settings, secret)
     values ($1, 'apns', '{}', ''), ($1, 'fcm', '{}', '')`,
    [appNo],
  )
  await pauseProvider(database, appNo, 'apns', 'InvalidProviderToken')
  const openUntil = Date.now() + 60_000
  const report = { worker: '0193575e-0000-4000-8000-00000000000b', startedAt: 0 }
  const breakers = [{ appNo, provider: 'fcm' as const, messageId: null, openUntil, refusals: 3 }]
  await addActivity(database, { ...report, breakers }, [], [])
  const before = (await browser.get('/ops/api/overview')).json()
  expect(before.problems).toMatchObject([
    { kind: 'lane_paused', severity: 'fault', app_id: id, reason: 'InvalidProviderToken' },
    { kind: 'breaker_open', severity: 'fault', app_id: id, provider: 'fcm' },
    { kind: 'no_credentials', severity: 'warning', app_id: other.apps[1].id },
  ])
  expect(before.providers[1].breaker).toEqual({
    until: new Date(openUntil).toISOString(),
    refusals: 3,
  })
  await database.query(`update worker_reports set seen_at = now() - interval '1 minute'`)
  const after = (await browser.get('/ops/api/overview')).json()
  expect(after.problems[0]).toEqual({ kind: 'workers_gone', severity: 'fault' })
  await database.query('delete from worker_reports')
})

test('messages are listed newest first, broadcasts and scheduled ones apart', async () => {
  const one = await createPerson()
  const short = await send({ person_id: one.personId })
  const broadcast = await send({ all: true })
  const later = new Date(Date.now() + 3_600_000).toISOString()
  const scheduled = await send({ person_id: one.personId }, { send_at: later })
  const list = async (query = '') => (await admin.get(`/ops/api/messages${query}`)).json()
  const all = await list()
  expect(all.messages.slice(0, 3).map(({ id }: { id: string }) => id)).toEqual([
    scheduled.id,
    broadcast.id,
    short.id,
  ])
  expect(all.messages[0]).toMatchObject({ state: 'scheduled', send_at: later, title: 'Hello' })
  expect(all.messages[1]).toMatchObject({ audience: { kind: 'all', size: null }, lane: 'bulk' })
  expect(all.messages[2]).toMatchObject({ counts: { recipients: 1, pending: 1 } })
  const ids = async (query: string) =>
    (await list(query)).messages.map(({ id }: { id: string }) => id)
  expect(await ids('?only=bulk')).toEqual([broadcast.id])
  expect(await ids('?only=scheduled')).toEqual([scheduled.id])
  expect(await ids(`?before=${short.messageNo}`)).not.toContain(short.id)
  for (const query of ['?only=all', '?before=x', `?before=${'9'.repeat(19)}`, '?page=2']) {
    expect([query, (await admin.get(`/ops/api/messages${query}`)).statusCode]).toEqual([query, 422])
  }
})

test('a message tells its counts, receipts, reasons and content', async () => {
  const phones = [await createPerson(), await createPerson(), await createPerson()] as const
  const message = await send({ person_ids: phones.map(({ personId }) => personId) })
  await settle(message.messageNo, phones[0], 'sent')
  await settle(message.messageNo, phones[1], 'bounced', 'Unregistered')
  await settle(message.messageNo, phones[2], 'suppressed', 'push_disabled')
  await sender.database.query(
    'insert into receipt_counts (message_no, delivered, opened) values ($1, 1, 1)',
    [message.messageNo],
  )
  const read = (await admin.get(`/ops/api/messages/${message.id}`)).json()
  expect(read).toMatchObject({
    state: 'done',
    is_open: false,
    balanced: true,
    title: 'Hello',
    people: phones.map(({ personId }) => personId),
    content: { title: 'Hello', body: 'World' },
    counts: { recipients: 3, sent: 1, bounced: 1, suppressed: 1, pending: 0 },
    receipts: { delivered: 1, opened: 1 },
    progress: null,
  })
  expect(read.reasons).toEqual({
    is_exact: true,
    list: [
      { status: 'bounced', reason: 'Unregistered', deliveries: 1 },
      { status: 'suppressed', reason: 'push_disabled', deliveries: 1 },
    ],
  })
  const deliveries = async (query: string) =>
    (await admin.get(`/ops/api/messages/${message.id}/deliveries${query}`)).json()
  expect((await deliveries('')).deliveries).toHaveLength(3)
  expect(await deliveries('?status=bounced')).toEqual({
    deliveries: [
      {
        person_id: phones[1].personId,
        device: phones[1].fingerprint,
        platform: 'ios',
        status: 'bounced',
        reason: 'Unregistered',
        attempts: 1,
        at: expect.any(String),
      },
    ],
    next: null,
    looked_through: 3,
  })
})

test('a broadcast tells its course and its reasons as the workers summed them up', async () => {
  const { database } = sender
  const { id, messageNo } = await send({ all: true })
  await database.query(
    `update message_counts set recipients = 20000, sent = 19000, failed = 1000 where message_no = $1`,
    [messageNo],
  )
  const at = Math.floor(Date.now() / 10_000) * 10_000
  const settled = { sent: 9500, bounced: 0, suppressed: 0, failed: 500, expired: 0 }
  const reasons = [{ status: 'failed' as const, reason: 'BadTopic', deliveries: 500 }]
  const report = { worker: '0193575e-0000-4000-8000-00000000000c', startedAt: 0, breakers: [] }
  for (const step of [0, 1]) {
    const sums = { messageNo, at: at - step * 10_000, settled, reasons }
    await addActivity(database, report, [], [sums])
  }
  const read = (await admin.get(`/ops/api/messages/${id}`)).json()
  expect(read.reasons).toEqual({
    is_exact: false,
    list: [{ status: 'failed', reason: 'BadTopic', deliveries: 1000 }],
  })
  expect(read.progress).toEqual({
    step_seconds: 10,
    points: [
      { ...settled, at: new Date(at - 10_000).toISOString() },
      { ...settled, at: new Date(at).toISOString() },
    ],
  })
  await database.query('delete from worker_reports')
})

test('a message is cancelled, and a scheduled one released, from here; both are audited', async () => {
  const one = await createPerson()
  const open = await send({ person_id: one.personId })
  const cancelled = await admin.call('POST', `/ops/api/messages/${open.id}/cancel`)
  expect(cancelled.json()).toMatchObject({ cancelled_at: expect.any(String) })
  const later = new Date(Date.now() + 3_600_000).toISOString()
  const scheduled = await send({ person_id: one.personId }, { send_at: later })
  const released = await admin.call('POST', `/ops/api/messages/${scheduled.id}/release`)
  expect(released.statusCode).toBe(200)
  expect(await actions(2)).toMatchObject([
    { action: 'message.release', target: scheduled.id, key: { name: 'admin key' } },
    { action: 'message.cancel', target: open.id, key: { name: 'admin key' } },
  ])
  await settle(scheduled.messageNo, one, 'sent')
  const done = await send({ person_id: one.personId })
  await settle(done.messageNo, one, 'sent')
  const late = await admin.call('POST', `/ops/api/messages/${done.id}/cancel`)
  expect([late.statusCode, late.json().code]).toEqual([409, 'message_done'])
  const wrong = await admin.call('POST', `/ops/api/messages/${done.id}/release`)
  expect([wrong.statusCode, wrong.json().code]).toEqual([409, 'not_scheduled'])
  expect(await actions(1)).toMatchObject([{ action: 'message.release' }])
})

test('who cancels over the API is in the audit log, too', async () => {
  const one = await createPerson()
  const { id } = await send({ person_id: one.personId })
  const cancel = () =>
    sender.app.inject({
      method: 'POST',
      url: `/v1/messages/${id}/cancel`,
      headers: { authorization: `Bearer ${sender.tenant.secret}` },
    })
  expect((await cancel()).statusCode).toBe(200)
  expect((await cancel()).statusCode).toBe(200)
  const [last, before] = await actions(2)
  expect(last).toMatchObject({ action: 'message.cancel', target: id, key: { name: 'test' } })
  expect(before?.target).not.toBe(id)
})

async function search(text: string) {
  const answer = await admin.call('POST', '/ops/api/people/search', { text })
  return answer.json().people.map(({ id }: { id: string }) => id)
}

test('a person is found by the beginning of their id or e-mail address, and by a token', async () => {
  const one = await createPerson({ id: 'Zoe-1' })
  await createPerson({ id: 'Zoe-2' })
  await createPerson({ id: 'zoe-3' })
  await sender.database.query(
    `update people set attributes = '{"email": "Zoe@Example.com"}' where id = 'Zoe-1'`,
  )
  expect(await search('Zoe')).toEqual(['Zoe-1', 'Zoe-2'])
  expect(await search('  Zoe-2 ')).toEqual(['Zoe-2'])
  expect(await search('zoe@EX')).toEqual(['Zoe-1'])
  expect(await search(one.token)).toEqual(['Zoe-1'])
  expect(await search(one.token.toUpperCase())).toEqual(['Zoe-1'])
  expect(await search(apnsToken(99_999))).toEqual([])
  expect(await search('%')).toEqual([])
  expect(await search('Zoe\u0000')).toEqual([])
})

test('a person shows what stands against a push to each device', async () => {
  const one = await createPerson()
  const second = await createPerson({ id: one.personId, app: 1 })
  const read = async () => (await admin.get(personUrl(one.personId))).json()
  const obstacles = async (fingerprint: string) =>
    (await read()).devices
      .find((device: { fingerprint: string }) => device.fingerprint === fingerprint)
      .obstacles.map(({ kind }: { kind: string }) => kind)
  expect(await obstacles(one.fingerprint)).toEqual(['no_workers'])
  await sender.database.query(
    `update devices set dead_at = now(), dead_reason = 'Unregistered', push_permission = false
     where device_no = $1`,
    [one.deviceNo],
  )
  await pauseProvider(sender.database, second.app.appNo, 'apns', 'TopicDisallowed')
  expect(await obstacles(one.fingerprint)).toEqual(['token_dead', 'push_disabled', 'no_workers'])
  expect(await obstacles(second.fingerprint)).toEqual(['lane_paused', 'no_workers'])
  const { devices } = await read()
  expect(JSON.stringify(devices)).toContain('TopicDisallowed')
  expect(JSON.stringify(devices)).not.toContain(one.token)
  await sender.database.query('update app_providers set paused_at = null, pause_reason = null')
})

test('why: what became of a message at each device, and why it was no recipient', async () => {
  const [one, two] = [await createPerson(), await createPerson()]
  const sent = await send({ person_id: one.personId })
  await settle(sent.messageNo, one, 'bounced', 'Unregistered')
  const waiting = await send({ person_id: one.personId })
  const others = await send({ person_id: two.personId })
  const otherApp = await send({ all: true }, { app_id: sender.tenant.apps[1].id })
  const unplanned = await send({ all: true })
  const why = async (person: { personId: string }, message: { id: string }) =>
    (await admin.get(`${personUrl(person.personId)}/why/${message.id}`)).json().devices[0].trace
  expect(await why(one, sent)).toMatchObject({
    kind: 'delivery',
    status: 'bounced',
    reason: 'Unregistered',
  })
  expect(await why(one, waiting)).toMatchObject({ kind: 'waiting', is_active: false })
  expect(await why(one, others)).toEqual({ kind: 'absent', why: 'not_named' })
  expect(await why(one, otherApp)).toEqual({ kind: 'absent', why: 'other_app' })
  expect(await why(one, unplanned)).toEqual({ kind: 'absent', why: 'not_planned_yet' })
  await sender.database.query('update messages set planned_at = now() where planned_at is null')
  const late = await createPerson()
  expect(await why(late, unplanned)).toEqual({ kind: 'absent', why: 'registered_later' })
  expect(await why(one, unplanned)).toEqual({ kind: 'absent', why: 'unknown' })
  await sender.database.query(
    `insert into device_events (device_no, at, kind, person_no) values ($1, now(), 'moved', $2)`,
    [one.deviceNo, one.personNo],
  )
  expect(await why(one, unplanned)).toEqual({ kind: 'absent', why: 'tied_later' })
})

test('a test push goes to the one device, in this person’s name, and is audited', async () => {
  const one = await createPerson()
  const body = { title: 'A test', body: 'Hello', person_id: one.personId }
  const answer = await admin.call('POST', `${one.url}/test`, body)
  expect(answer.statusCode).toBe(201)
  const { message_id } = answer.json()
  const message = (await admin.get(`/ops/api/messages/${message_id}`)).json()
  expect(message).toMatchObject({
    counts: { recipients: 1 },
    ttl_seconds: 600,
    content: { title: 'A test', body: 'Hello' },
  })
  expect(await actions(1)).toMatchObject([
    { action: 'message.send', target: message_id, appId: one.app.id, detail: { test: true } },
  ])
  const other = await createPerson()
  for (const person_id of [other.personId, null]) {
    const refused = await admin.call('POST', `${one.url}/test`, { ...body, person_id })
    expect([refused.statusCode, refused.json().code]).toEqual([409, 'reassigned'])
  }
  const unknown = one.url.replace(one.fingerprint, randomBytes(16).toString('hex'))
  expect((await admin.call('POST', `${unknown}/test`, body)).statusCode).toBe(404)
  const empty = await admin.call('POST', `${one.url}/test`, { ...body, title: '' })
  expect([empty.statusCode, empty.json().errors[0].path]).toEqual([422, 'title'])
})

test('a device’s timeline is read by its fingerprint', async () => {
  const one = await createPerson()
  await sender.database.query(
    `insert into device_events (device_no, kind, person_no, detail)
     values ($1, 'registered', $2, null), ($1, 'bounced', null, '{"reason": "Unregistered"}')`,
    [one.deviceNo, one.personNo],
  )
  const { events, is_cut } = (await admin.get(`${one.url}/timeline`)).json()
  expect(is_cut).toBe(false)
  expect(events).toMatchObject([
    { kind: 'bounced', reason: 'Unregistered' },
    { kind: 'registered', person_id: one.personId },
  ])
})

test('suppressing and unsuppressing a person is audited, by number alone', async () => {
  const one = await createPerson()
  for (const change of ['suppress', 'unsuppress'] as const) {
    const answer = await admin.call('POST', `${personUrl(one.personId)}/${change}`)
    expect(answer.statusCode).toBe(204)
    const { suppressed } = (await admin.get(personUrl(one.personId))).json()
    expect(suppressed).toBe(change === 'suppress')
  }
  expect(await actions(3)).toMatchObject([
    { action: 'person.unsuppress', target: one.personId },
    { action: 'person.view', target: one.personId },
    { action: 'person.suppress', target: one.personId },
  ])
  const { rows } = await sender.database.query(
    `select target from audit_log where action = 'person.suppress'`,
  )
  expect(rows).toEqual([{ target: one.personNo }])
})

test('a paused lane goes on, and a check waits for the workers', async () => {
  const { tenant, database } = sender
  const [app] = tenant.apps
  await pauseProvider(database, app.appNo, 'apns', 'TopicDisallowed')
  const lane = `/ops/api/apps/${app.id}/providers/apns`
  const resumed = await admin.call('POST', `${lane}/resume`, { bounces: 'keep' })
  expect(resumed.json()).toMatchObject({ resumed: false, tried: [], restored: 0 })
  const checked = await admin.call('POST', `${lane}/check`)
  expect(checked.statusCode).toBe(202)
  const { task_id } = checked.json()
  const task = (await admin.get(`/ops/api/tasks/${task_id}`)).json()
  expect(task).toMatchObject({ kind: 'check', asked_by: 'admin key', outcome: null })
  const { apps } = (await admin.get('/ops/api/apps')).json()
  expect(apps[0].providers).toMatchObject([
    { provider: 'apns', settings: { topic: 'com.example.shop' }, last_task: { id: task_id } },
  ])
  expect(await actions(2)).toMatchObject([
    { action: 'credentials.check', target: app.id },
    { action: 'provider.resume', target: app.id, detail: { bounces: 'keep', restored: 0 } },
  ])
  const fcm = `/ops/api/apps/${app.id}/providers/fcm`
  expect((await admin.call('POST', `${fcm}/check`)).statusCode).toBe(404)
  expect((await admin.call('POST', `${fcm}/resume`, { bounces: 'keep' })).statusCode).toBe(404)
})

test('new credentials are checked for their shape here, and need a worker that has started', async () => {
  const [app] = sender.tenant.apps
  const url = `/ops/api/apps/${app.id}/providers`
  const common = { expires_at: null, is_forced: false }
  const apns = {
    team_id: 'TEAM123456',
    key_id: 'KEY1234567',
    topic: 'com.example',
    environment: null,
  }
  const secret = 'not a key at all'
  const wrong = await admin.call('PUT', `${url}/apns/credentials`, {
    ...apns,
    ...common,
    private_key: secret,
  })
  expect([wrong.statusCode, wrong.json().errors[0].path]).toEqual([422, 'private_key'])
  expect(wrong.body).not.toContain(secret)
  const account = await admin.call('PUT', `${url}/fcm/credentials`, {
    ...common,
    service_account: '{"type": "user"}',
  })
  expect([account.statusCode, account.json().errors[0].path]).toEqual([422, 'service_account'])
  const { privateKey } = await generateKey()
  const good = { ...apns, ...common, private_key: privateKey }
  const past = { ...good, expires_at: '2020-01-01T00:00:00Z' }
  const late = await admin.call('PUT', `${url}/apns/credentials`, past)
  expect([late.statusCode, late.json().errors[0].path]).toEqual([422, 'expires_at'])
  const early = await admin.call('PUT', `${url}/apns/credentials`, good)
  expect([early.statusCode, early.json().code]).toEqual([503, 'no_workers'])
  expect(sender.lines.join('')).not.toContain(privateKey.split('\n')[1])
})

async function generateKey() {
  const { generateKeyPairSync } = await import('node:crypto')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

test('a key is shown once, and lives until it is revoked', async () => {
  const made = await admin.call('POST', '/ops/api/keys', {
    name: 'night shift',
    kind: 'secret',
    role: 'read',
    app_id: null,
  })
  const { id, key } = made.json()
  const listed = await admin.get('/ops/api/keys')
  expect(listed.json().keys[0]).toMatchObject({ id, name: 'night shift', role: 'read' })
  expect(listed.body).not.toContain(key)
  const use = () =>
    sender.app.inject({
      url: '/v1/messages/00000000-0000-7000-8000-000000000000',
      headers: { authorization: `Bearer ${key}` },
    })
  expect((await use()).statusCode).toBe(404)
  expect((await admin.call('DELETE', `/ops/api/keys/${id}`)).statusCode).toBe(204)
  await expect.poll(async () => (await use()).statusCode, { timeout: 10_000 }).toBe(401)
  expect(await actions(2)).toMatchObject([
    { action: 'key.revoke', target: id, detail: { name: 'night shift' } },
    { action: 'key.create', target: id, detail: { name: 'night shift', role: 'read' } },
  ])
  expect(JSON.stringify(await actions(2))).not.toContain(key)
  for (const [body, path] of [
    [{ name: ' ', kind: 'secret', role: 'read', app_id: null }, 'name'],
    [{ name: 'x', kind: 'public', role: 'read', app_id: null }, 'role'],
    [{ name: 'x', kind: 'secret', role: null, app_id: null }, 'role'],
    [{ name: 'x', kind: 'secret', role: 'read', app_id: sender.other.apps[0].id }, 'app_id'],
  ] as const) {
    const refused = await admin.call('POST', '/ops/api/keys', body)
    expect([refused.statusCode, refused.json().errors[0].path]).toEqual([422, path])
  }
})

test('a read key may look over the API, and change nothing', async () => {
  const { tenant, database } = sender
  const { workspaceNo } = tenant
  const reader = { workspaceNo, appNo: null, kind: 'secret', name: 'r', role: 'read' } as const
  const { key } = await createKey(database, reader)
  const headers = { authorization: `Bearer ${key}` }
  const url = `/v1/apps/${tenant.apps[0].id}`
  expect((await sender.app.inject({ url, headers })).statusCode).toBe(200)
  for (const path of ['/v1/messages', `${url}/providers/apns/resume`]) {
    const payload = { to: { all: true }, content: {} }
    const refused = await sender.app.inject({ method: 'POST', url: path, headers, payload })
    expect([refused.statusCode, refused.json().code]).toEqual([403, 'role_needed'])
  }
})

test('a session of a key for one app sees and manages that app alone', async () => {
  const { tenant } = sender
  const [first, second] = tenant.apps
  const browser = await openBrowser(sender, 'admin', { appNo: first.appNo })
  const own = await createPerson()
  const other = await createPerson({ id: own.personId, app: 1 })
  const toOther = await send({ person_id: own.personId }, { app_id: second.id })
  const toOwn = await send({ person_id: own.personId }, { app_id: first.id })
  await settle(toOther.messageNo, other, 'sent')
  const person = (await browser.get(personUrl(own.personId))).json()
  expect(person.devices.map((d: { fingerprint: string }) => d.fingerprint)).toEqual([
    own.fingerprint,
  ])
  expect(person.deliveries).toEqual([])
  const { messages } = (await browser.get('/ops/api/messages')).json()
  expect(messages.some(({ id }: { id: string }) => id === toOwn.id)).toBe(true)
  expect(messages.every(({ app_id }: { app_id: string }) => app_id === first.id)).toBe(true)
  const { apps } = (await browser.get('/ops/api/apps')).json()
  expect(apps.map(({ id }: { id: string }) => id)).toEqual([first.id])
  const calls = [
    browser.get(`/ops/api/messages/${toOther.id}`),
    browser.call('POST', `/ops/api/messages/${toOther.id}/cancel`),
    browser.get(`${other.url}/timeline`),
    browser.call('POST', `${other.url}/test`, { title: 'x', body: '', person_id: own.personId }),
    browser.call('POST', `/ops/api/apps/${second.id}/providers/apns/check`),
  ]
  for (const answer of await Promise.all(calls)) expect(answer.statusCode).toBe(404)
  const everything = { name: 'x', kind: 'secret', role: 'admin', app_id: null }
  expect((await browser.call('POST', '/ops/api/keys', everything)).statusCode).toBe(422)
  expect((await browser.call('POST', '/ops/api/apps', { name: 'x' })).statusCode).toBe(403)
  expect((await browser.call('DELETE', `/ops/api/keys/${admin.keyId}`)).statusCode).toBe(404)
  const { entries } = (await browser.get('/ops/api/audit')).json()
  expect(entries.every(({ app_id }: { app_id: string }) => app_id === first.id)).toBe(true)
})

test('another workspace’s people, messages, apps and keys are as good as not there', async () => {
  const stranger = await openBrowser(sender, 'admin', { tenant: sender.other })
  const one = await createPerson()
  const message = await send({ person_id: one.personId })
  const calls = [
    stranger.get(personUrl(one.personId)),
    stranger.get(`${personUrl(one.personId)}/why/${message.id}`),
    stranger.get(`/ops/api/messages/${message.id}`),
    stranger.get(`/ops/api/messages/${message.id}/deliveries`),
    stranger.get(`/ops/api/live/messages/${message.id}`),
    stranger.call('POST', `/ops/api/messages/${message.id}/cancel`),
    stranger.get(`${one.url}/timeline`),
    stranger.call('POST', `${one.url}/test`, { title: 'x', body: '', person_id: one.personId }),
    stranger.call('POST', `${personUrl(one.personId)}/suppress`),
    stranger.call('POST', `/ops/api/apps/${one.app.id}/providers/apns/resume`, { bounces: 'keep' }),
    stranger.call('DELETE', `/ops/api/keys/${admin.keyId}`),
  ]
  for (const answer of await Promise.all(calls)) expect(answer.statusCode).toBe(404)
  const found = await stranger.call('POST', '/ops/api/people/search', { text: one.token })
  expect(found.json().people).toEqual([])
  expect((await stranger.get('/ops/api/overview')).body).not.toContain(one.app.id)
})

test('no answer has a token in it, and no log line a person', async () => {
  const one = await createPerson({ id: 'someone-unmistakable' })
  const message = await send({ token: one.token })
  await settle(message.messageNo, one, 'sent')
  const urls = [
    '/ops/api/overview',
    '/ops/api/messages',
    `/ops/api/messages/${message.id}`,
    `/ops/api/messages/${message.id}/deliveries`,
    personUrl(one.personId),
    `${personUrl(one.personId)}/why/${message.id}`,
    `${one.url}/timeline`,
    '/ops/api/audit',
  ]
  for (const url of urls) {
    const answer = await admin.get(url)
    expect([url, answer.statusCode]).toEqual([url, 200])
    expect(answer.body).not.toContain(one.token)
  }
  await search('someone-unmis')
  expect(sender.lines.join('')).not.toContain('someone-unmis')
})

test('a new app requires identity tokens; beside open ones its mode has to be said', async () => {
  const create = (body: object) => admin.call('POST', '/ops/api/apps', body)
  const refused = await create({ name: 'silent' })
  expect(refused.statusCode).toBe(422)
  expect(refused.json().errors).toMatchObject([{ path: 'identity_mode' }])
  expect((await create({ name: 'x', identity_mode: 'maybe' })).statusCode).toBe(422)
  expect((await create({ name: 'strict', identity_mode: 'required' })).statusCode).toBe(201)
  // Now the strictest is the strictest there is: nothing changes for the others.
  expect((await create({ name: 'silent' })).statusCode).toBe(201)
  const { apps } = (await admin.get('/ops/api/apps')).json()
  const modes = new Map(
    apps.map((app: { name: string; identity_mode: string }) => [app.name, app.identity_mode]),
  )
  expect(modes.get('first')).toBe('off')
  expect(modes.get('strict')).toBe('required')
  expect(modes.get('silent')).toBe('required')
})
