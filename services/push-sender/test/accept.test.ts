import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDevice, apnsToken, get, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
})
afterAll(() => sender[Symbol.asyncDispose]())

const content = { title: 'Hello' }

async function stored(id: string) {
  const { rows } = await sender.database.query(
    `select m.workspace_no, a.id as app_id, m.audience, m.content, m.priority, m.collapse_id,
            m.on_unknown, m.ttl_seconds, m.lane, m.planned_at is not null as planned, c.recipients,
            (select array_agg(queue order by queue) from outbox o
             where o.ref = m.message_no and queue = 'plan'
                or o.ref in (select chunk_no from chunks k where k.message_no = m.message_no))
              as rung
     from messages m join message_counts c using (message_no) left join apps a using (app_no)
     where m.id = $1`,
    [id],
  )
  return rows[0]
}

test('202 with the id and the place, once message and doorbell are committed', async () => {
  await addDevice(sender, { app: sender.tenant.apps[0], personId: 'anna', token: apnsToken(1) })
  const response = await post(sender, { to: { person_id: 'anna' }, content })
  expect(response.statusCode).toBe(202)
  const { id } = response.json()
  expect(response.headers.location).toBe(`/v1/messages/${id}`)
  expect(response.headers['idempotent-replayed']).toBeUndefined()
  expect(await stored(id)).toEqual({
    workspace_no: sender.tenant.workspaceNo,
    app_id: null,
    audience: { person_id: 'anna' },
    content: { content },
    priority: 'high',
    collapse_id: id,
    on_unknown: 'retry',
    ttl_seconds: 259_200,
    lane: 'transactional',
    planned: true,
    recipients: '1',
    rung: ['apns-transactional'],
  })
})

test('every option is kept as it was sent', async () => {
  const [app] = sender.tenant.apps
  const message = {
    to: { tokens: [apnsToken(2), 'fcm-token_1:APA91bXYZ'] },
    content: { title: 'T', body: 'B', link: 'app://x', badge: 3, sound: 's', data: { a: [1] } },
    apns: { headers: { 'apns-priority': '5' }, payload: { aps: { category: 'c' } } },
    fcm: { android: { priority: 'NORMAL' } },
    app_id: app.id,
    ttl_seconds: 0,
    priority: 'normal',
    collapse_id: 'order-1',
    on_unknown: 'give_up',
  }
  const { id } = (await post(sender, message)).json()
  expect(await stored(id)).toMatchObject({
    app_id: app.id,
    audience: message.to,
    content: { content: message.content, apns: message.apns, fcm: message.fcm },
    ttl_seconds: 0,
    priority: 'normal',
    collapse_id: 'order-1',
    on_unknown: 'give_up',
    recipients: '0',
    rung: null,
  })
})

test.each([
  ['one person', { person_id: 'nobody' }, 'transactional'],
  ['one token', { token: apnsToken(3) }, 'transactional'],
  ['100 people', { person_ids: numbered(100) }, 'transactional'],
  ['101 people', { person_ids: numbered(101) }, 'bulk'],
  ['100 tokens', { tokens: numbered(100).map((_, n) => apnsToken(n)) }, 'transactional'],
  ['101 tokens', { tokens: numbered(101).map((_, n) => apnsToken(n)) }, 'bulk'],
  ['10,000 people', { person_ids: numbered(10_000) }, 'bulk'],
  ['everyone', { all: true }, 'bulk'],
])('a short list is planned at once, %s', async (_name, to, lane) => {
  const response = await post(sender, { to, content })
  expect(response.statusCode).toBe(202)
  const row = await stored(response.json().id)
  expect(row).toMatchObject({ lane, planned: lane === 'transactional' })
  if (lane === 'bulk') expect(row?.rung).toEqual(['plan'])
})

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `person-${number}`)
}

test('an app of another workspace, or none, is named', async () => {
  for (const app_id of [sender.other.apps[0].id, '01890000-0000-7000-8000-000000000000']) {
    const response = await post(sender, { to: { all: true }, content, app_id })
    expect(response.statusCode).toBe(422)
    expect(response.json().errors).toEqual([
      { path: 'app_id', message: 'is no app of this workspace' },
    ])
  }
})

test('a key of one app sends to that app alone', async () => {
  const [mine, second] = sender.tenant.apps
  const headers = { authorization: `Bearer ${sender.tenant.appSecret}` }
  const send = (app_id?: string) => post(sender, { to: { all: true }, content, app_id }, headers)
  for (const response of [await send(), await send(mine.id)]) {
    expect(response.statusCode).toBe(202)
    expect(await stored(response.json().id)).toMatchObject({ app_id: mine.id })
  }
  const refused = await send(second.id)
  expect(refused.statusCode).toBe(403)
  expect(refused.json()).toMatchObject({ code: 'forbidden', errors: [{ path: 'app_id' }] })
})

test('an accepted message can be read at the place that the answer names', async () => {
  const response = await post(sender, { to: { all: true }, content })
  const read = await get(sender, String(response.headers.location))
  expect(read.json()).toMatchObject({
    id: response.json().id,
    state: 'accepted',
    to: { all: true },
  })
})

test('no token, key, person or content is logged', async () => {
  expect(sender.lines.length).toBeGreaterThan(5)
  const log = sender.lines.join('')
  for (const text of [apnsToken(2), 'APA91b', sender.tenant.secret, 'anna', 'Hello', 'person-1']) {
    expect(log).not.toContain(text)
  }
})
