import { randomBytes } from 'node:crypto'
import { createPartitions, createReceiptTaker, readAudit, statusCode } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDevice, get, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
  await createPartitions(sender.database, Date.now())
})
afterAll(() => sender[Symbol.asyncDispose]())

const apnsToken = () => randomBytes(32).toString('hex')

/** A person with two devices in two apps, 250 events and 230 messages, beside a neighbour. */
async function createSubject(id: string) {
  const { tenant, database } = sender
  const [first, second] = tenant.apps
  const tokens = [apnsToken(), apnsToken()]
  const one = await addDevice(sender, { app: first, personId: id, token: tokens[0] ?? '' })
  const two = await addDevice(sender, { app: second, personId: id, token: tokens[1] ?? '' })
  await database.query(
    `update people set attributes = '{"plan": "pro", "email": "ana@example.org"}' where person_no = $1`,
    [one.personNo],
  )
  await database.query(
    `insert into person_events (person_no, at, workspace_no, type, name, properties)
     select $1, now() - make_interval(secs => n), $2, 'event', 'bought ' || n, '{"price": 3}'
     from generate_series(1, 250) n`,
    [one.personNo, tenant.workspaceNo],
  )
  await database.query(
    `insert into anonymous_ids (workspace_no, anonymous_id, person_no) values ($1, $2, $3)`,
    [tenant.workspaceNo, `phone of ${id}`, one.personNo],
  )
  await database.query(
    `insert into device_events (device_no, kind, person_no) values ($1, 'registered', $2)`,
    [one.deviceNo, one.personNo],
  )
  return { id, tokens, ...one, second: two }
}

async function deliver(messageId: string, deviceNo: string, personNo: string) {
  await sender.database.query(
    `insert into deliveries (message_no, device_no, person_no, at, status, attempts)
     select message_no, $2, $3, now(), ${statusCode.sent}, 1 from messages where id = $1`,
    [messageId, deviceNo, personNo],
  )
}

async function sendTo(to: object, content: object, more: object = {}): Promise<string> {
  const answer = await post(sender, { to, content, ...more })
  expect(answer.statusCode).toBe(202)
  return answer.json().id
}

test('it has everything of one person, of any length, and nothing of another', async () => {
  const ana = await createSubject('ana')
  const ben = await createSubject('ben')
  const messages: string[] = []
  for (let n = 0; n < 230; n += 1) {
    const id = await sendTo({ person_ids: ['ana', 'ben'] }, { title: `to both ${n}` })
    await deliver(id, ana.deviceNo, ana.personNo)
    await deliver(id, ben.deviceNo, ben.personNo)
    messages.push(id)
  }
  const token = ana.tokens[0] ?? ''
  await createReceiptTaker(sender.database)({
    workspaceNo: sender.tenant.workspaceNo,
    appNo: null,
    messageId: messages[0] ?? '',
    token,
    event: 'opened',
    at: null,
  })
  const later = Math.floor(Date.now() / 1000) + 86_400
  await sendTo({ person_id: 'ana' }, { title: 'tomorrow' }, { send_at: later })

  const answer = await get(sender, '/v1/people/ana/export')
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toContain('application/json')
  const found = answer.json()
  expect(found).toMatchObject({
    person: { id: 'ana', attributes: { plan: 'pro' }, suppressed: false },
    anonymous_ids: [{ anonymous_id: 'phone of ana' }],
    timeline: [{ kind: 'registered', device: token }],
    scheduled_messages: [{ content: { title: 'tomorrow' } }],
    complete: true,
  })
  const tokens = found.devices.map((device: { token: string }) => device.token)
  expect(tokens.toSorted()).toEqual(ana.tokens.toSorted())
  expect(new Set(found.events.map((event: { name: string }) => event.name)).size).toBe(250)
  expect(found.messages.map((message: { id: string }) => message.id)).toEqual(messages)
  expect(found.messages[0]).toMatchObject({
    content: { title: 'to both 0' },
    deliveries: [{ device: token, status: 'sent', opened: expect.any(String) }],
  })
  for (const others of ['ben', ...ben.tokens]) expect(answer.body).not.toContain(others)
})

test('it is written down, needs operate, and is of this workspace', async () => {
  await createSubject('audited')
  const before = await get(sender, '/v1/people/audited/export', sender.other.secret)
  expect(before.statusCode).toBe(404)
  expect((await get(sender, '/v1/people/audited/export', sender.tenant.public)).statusCode).toBe(
    403,
  )
  expect((await get(sender, '/v1/people/audited/export')).statusCode).toBe(200)
  const page = { workspaceNo: sender.tenant.workspaceNo, appNo: null, before: null, limit: 50 }
  const { entries } = await readAudit(sender.database, page)
  expect(entries[0]).toMatchObject({
    action: 'person.export',
    target: 'audited',
    address: '127.0.0.1',
  })
})

test('a key for one app gets the devices and messages of that app', async () => {
  const both = await createSubject('both')
  const inFirst = await sendTo(
    { person_id: 'both' },
    { title: 'first' },
    { app_id: sender.tenant.apps[0].id },
  )
  await deliver(inFirst, both.deviceNo, both.personNo)
  const inSecond = await sendTo({ person_id: 'both' }, { title: 'second' })
  await deliver(inSecond, both.second.deviceNo, both.personNo)
  const toAll = await sendTo({ person_id: 'both' }, { title: 'said to every app' })
  await deliver(toAll, both.deviceNo, both.personNo)
  const answer = await get(sender, '/v1/people/both/export', sender.tenant.appSecret)
  const found = answer.json()
  expect(found.devices).toMatchObject([{ token: both.tokens[0] }])
  expect(found.messages).toMatchObject([
    { id: inFirst, content: { title: 'first' } },
    { id: null, content: null, deliveries: [{ status: 'sent' }] },
  ])
  expect(answer.body).not.toContain('said to every app')
  expect(answer.body).not.toContain(both.tokens[1])
})
