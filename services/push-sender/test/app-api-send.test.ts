import { messageIdOf } from '@pushkeep/domain'
import { createApp } from '@pushkeep/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addDevice, apnsToken, get, type Sender, startTestSender, storedRows } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
})
afterAll(() => sender[Symbol.asyncDispose]())

const push = { transactional_message_id: 3, identifiers: { id: 'anna' }, title: 'Hello' }

function send(
  body: unknown,
  headers: Record<string, string> = {},
  url = '/v1/send/push',
  key = sender.tenant.secret,
) {
  return sender.app.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  })
}

/** The stored message behind an answer. */
async function stored(response: Awaited<ReturnType<typeof send>>) {
  expect(response.statusCode, response.body).toBe(200)
  const { rows } = await sender.database.query(
    `select m.audience, m.content, m.send_at, c.recipients::int, m.lane
     from messages m join message_counts c using (message_no) where m.id = $1`,
    [messageIdOf(response.json().delivery_id)],
  )
  return rows[0]
}

async function everything() {
  const { rows } = await sender.database.query(
    `select (select count(*)::int from people) as people,
            (select count(*)::int from devices) as devices`,
  )
  return { ...(await storedRows(sender)), ...rows[0] }
}

async function attributesOf(id: string) {
  const { rows } = await sender.database.query('select attributes from people where id = $1', [id])
  return rows[0]?.attributes
}

async function devicesOf(id: string): Promise<{ token: string }[]> {
  const { rows } = await sender.database.query(
    `select token, platform, last_used::int, d.attributes
     from devices d join people p using (person_no) where p.id = $1 order by device_no`,
    [id],
  )
  return rows
}

test('a push is accepted with its delivery id and when it was queued, at both places', async () => {
  await addDevice(sender, { app: sender.tenant.apps[0], personId: 'anna', token: apnsToken(1) })
  for (const url of ['/v1/send/push', '/customerio/v1/send/push']) {
    const response = await send(push, {}, url)
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(response.json()).toEqual({
      delivery_id: expect.stringMatching(/^[\w-]{22}$/),
      queued_at: expect.any(Number),
    })
    expect(Math.abs(response.json().queued_at - Date.now() / 1000)).toBeLessThan(5)
    expect(await stored(response)).toMatchObject({ recipients: 1, lane: 'transactional' })
  }
})

test('each field becomes what the native API calls so', async () => {
  const response = await send({
    ...push,
    message: 'World',
    image_url: 'https://example.com/a.png',
    link: 'app://orders/7',
    custom_data: { order: '7', nested: { deep: [1] } },
    send_to_unsubscribed: true,
    disable_message_retention: false,
    queue_draft: false,
    auto_create: true,
    language: 'de',
  })
  expect(await stored(response)).toMatchObject({
    audience: { person_id: 'anna' },
    content: {
      content: {
        title: 'Hello',
        body: 'World',
        image_url: 'https://example.com/a.png',
        link: 'app://orders/7',
        sound: 'default',
        data: { order: '7', nested: { deep: [1] } },
      },
    },
  })
})

test('null is as good as nothing, as some clients write it', async () => {
  const nothing = {
    to: null,
    message: null,
    image_url: null,
    sound: null,
    custom_data: null,
    custom_device: null,
    custom_payload: null,
    message_data: null,
    send_at: null,
    language: null,
    queue_draft: null,
  }
  const response = await send({ ...push, ...nothing })
  expect(await stored(response)).toMatchObject({
    audience: { person_id: 'anna' },
    content: { content: { title: 'Hello', sound: 'default' } },
  })
})

test.each([
  [{}, { title: 'Hello', sound: 'default' }],
  [{ sound: 'default' }, { title: 'Hello', sound: 'default' }],
  [{ sound: 'none' }, { title: 'Hello' }],
])('a push sounds unless it is told not to: %j', async (change, content) => {
  expect(await stored(await send({ ...push, ...change }))).toMatchObject({ content: { content } })
})

describe('whom it is for', () => {
  test.each([
    [{}, { person_id: 'anna' }],
    [{ to: 'all' }, { person_id: 'anna' }],
    [{ to: 'last_used' }, { person_id: 'anna', devices: 'last_used' }],
    [{ to: apnsToken(1) }, { person_id: 'anna', token: apnsToken(1) }],
    [{ send_to_unsubscribed: false }, { person_id: 'anna', subscribed: true }],
  ])('%j is %j', async (change, audience) => {
    const row = await stored(await send({ ...push, ...change }))
    expect(row).toMatchObject({ audience, recipients: 1 })
  })

  test('a token of somebody else reaches nobody', async () => {
    await addDevice(sender, { app: sender.tenant.apps[0], personId: 'bert', token: apnsToken(2) })
    expect(await stored(await send({ ...push, to: apnsToken(2) }))).toMatchObject({ recipients: 0 })
  })

  test.each([true, 1, 'TRUE', '1'])('who unsubscribed (%j) is left out if asked', async (value) => {
    await sender.database.query(`delete from devices where token = $1`, [apnsToken(3)])
    await addDevice(sender, { app: sender.tenant.apps[0], personId: 'carl', token: apnsToken(3) })
    await sender.database.query(
      `update people set attributes = jsonb_build_object('unsubscribed', $1::jsonb) where id = 'carl'`,
      [JSON.stringify(value)],
    )
    const to = { ...push, identifiers: { id: 'carl' } }
    expect(await stored(await send(to))).toMatchObject({ recipients: 1 })
    const asked = { ...to, send_to_unsubscribed: false }
    expect(await stored(await send(asked))).toMatchObject({ recipients: 0 })
    const token = { ...asked, to: apnsToken(3) }
    expect(await stored(await send(token))).toMatchObject({ recipients: 0 })
  })

  test('people go by id, number, address in any letter case, and cio_id', async () => {
    await addDevice(sender, { app: sender.tenant.apps[0], personId: '42', token: apnsToken(4) })
    await sender.database.query(
      `update people set attributes = '{"email": "Dora@Example.com"}' where id = '42'`,
    )
    const { customer } = (await get(sender, '/v1/customers/42/attributes')).json()
    const { cio_id } = customer.identifiers
    for (const identifiers of [
      { id: '42' },
      { id: 42 },
      { email: 'dora@EXAMPLE.com' },
      { cio_id },
      { cio_id: `cio_${cio_id}` },
      { id: 42, email: null },
    ]) {
      const row = await stored(await send({ ...push, identifiers }))
      expect(row).toMatchObject({ audience: { person_id: '42' }, recipients: 1 })
    }
  })

  test('unknown people are created, by an address with it as an attribute', async () => {
    expect(await stored(await send({ ...push, identifiers: { id: 'new' } }))).toMatchObject({
      recipients: 0,
    })
    expect(await attributesOf('new')).toEqual({})
    await send({ ...push, identifiers: { email: 'Emil@example.com' } })
    expect(await attributesOf('Emil@example.com')).toEqual({ email: 'Emil@example.com' })
  })

  test('nobody can be made of a cio_id', async () => {
    const before = await everything()
    for (const cio_id of ['00ffffff', 'x', '7fffffffffffffff1']) {
      const response = await send({ ...push, identifiers: { cio_id } })
      expect(response.statusCode).toBe(400)
      expect(response.json().meta.error).toBe('identifiers.cio_id is of nobody')
    }
    expect(await everything()).toEqual(before)
  })
})

describe('custom_device', () => {
  test('of a person who has as many as one may have is refused, and nothing is sent', async () => {
    await using capped = await startTestSender({ caps: { personDevices: 1 } })
    const sendCapped = (token: string) =>
      capped.app.inject({
        method: 'POST',
        url: '/v1/send/push',
        headers: { authorization: `Bearer ${capped.tenant.appSecret}` },
        payload: { ...push, custom_device: { token, platform: 'iOS' } },
      })
    expect((await sendCapped(apnsToken(91))).statusCode).toBe(200)
    const before = await storedRows(capped)
    const refused = await sendCapped(apnsToken(92))
    expect(refused.statusCode).toBe(400)
    expect(refused.body).toContain('as many as one person may have')
    expect(await storedRows(capped)).toEqual(before)
  })

  const device = { token: apnsToken(20), platform: 'iOS', last_used: '1700000000' }
  const ofOneApp = (body: object) => send(body, {}, undefined, sender.tenant.appSecret)

  test('is registered as theirs before the push is planned', async () => {
    const identifiers = { id: 'fritz' }
    const attributes = { push_enabled: true, theme: { dark: true }, device_os: 17 }
    const response = await ofOneApp({
      ...push,
      identifiers,
      custom_device: { ...device, attributes },
    })
    expect(await stored(response)).toMatchObject({ recipients: 1 })
    expect(await devicesOf('fritz')).toEqual([
      {
        token: apnsToken(20),
        platform: 'ios',
        last_used: 1_700_000_000,
        attributes: { theme: { dark: true }, device_os: '17' },
      },
    ])
  })

  test('is taken from whoever had it', async () => {
    await ofOneApp({ ...push, identifiers: { id: 'gerd' }, custom_device: device })
    expect(await devicesOf('fritz')).toEqual([])
    expect(await devicesOf('gerd')).toMatchObject([{ token: apnsToken(20) }])
  })

  test.each([
    [{ ...device, token: 'zz zz' }, 'custom_device.token'],
    [{ ...device, token: '' }, 'custom_device.token'],
    [{ ...device, platform: 'windows' }, 'custom_device.platform'],
    [{ platform: 'ios' }, 'custom_device.token'],
    [{ ...device, last_used: 1_700_000_000_000 }, 'custom_device.last_used'],
    [{ ...device, attributes: { push_enabled: 'maybe' } }, 'custom_device.attributes.push_enabled'],
    [{ ...device, colour: 'red' }, 'custom_device.colour'],
  ])('that is wrong is named, and nothing is stored: case %#', async (custom_device, path) => {
    const before = await everything()
    const response = await ofOneApp({ ...push, identifiers: { id: 'hans' }, custom_device })
    expect(response.statusCode).toBe(400)
    expect(response.json().errors).toMatchObject([{ path }])
    expect(response.json().meta.error).toContain(path)
    expect(await everything()).toEqual(before)
  })

  test('needs to know its app', async () => {
    const response = await send({ ...push, custom_device: device })
    expect(response.statusCode).toBe(400)
    expect(response.json().meta.error).toContain('several')
    await createApp(sender.database, sender.other.workspaceNo, 'third')
  })
})

describe('custom_payload', () => {
  const aps = { alert: { title: 'Custom' }, 'mutable-content': 1 }
  const payload = { CIO: { push: { link: 'app://7' } }, aps, own: 1 }

  test('for iPhones as APNs has it', async () => {
    const response = await send({ ...push, title: null, custom_payload: { ios: payload } })
    expect((await stored(response))?.content).toEqual({
      apns: { payload },
      fcm: { apns: { headers: {}, payload } },
    })
  })

  test('for iPhones as FCM has it, and for Android', async () => {
    const apns = { headers: { 'apns-priority': '5' }, payload }
    const message = {
      notification: { title: 'T' },
      data: { link: 'app://7', n: 1 },
      android: { notification: { icon: 'x' } },
    }
    const custom_payload = { ios: { message: { apns } }, android: { message } }
    const response = await send({ ...push, custom_payload })
    expect((await stored(response))?.content).toEqual({
      content: { title: 'Hello', sound: 'default' },
      apns,
      fcm: { ...message, apns },
    })
  })

  test.each([
    [{ ios: { message: {} } }, 'custom_payload.ios.message.apns'],
    [
      { ios: { message: { apns: { payload, topic: 'x' } } } },
      'custom_payload.ios.message.apns.topic',
    ],
    [
      { ios: { message: { apns: { headers: { 'apns-topic': 'x' }, payload } } } },
      'custom_payload.ios.message.apns.headers.apns-topic',
    ],
    [{ ios: [] }, 'custom_payload.ios'],
    [{ android: { notification: {} } }, 'custom_payload.android.message'],
    [{ android: { message: { token: 'x' } } }, 'custom_payload.android.message.token'],
    [{ android: { message: { webpush: {} } } }, 'custom_payload.android.message.webpush'],
    [{ web: {} }, 'custom_payload.web'],
    [{ android: { message: { data: { from: 'x' } } } }, 'custom_payload.android.data.from'],
    [{ android: { message: { notification: { body: 'x'.repeat(4100) } } } }, 'message'],
  ])('that is none is named: case %#', async (custom_payload, path) => {
    const response = await send({ ...push, custom_payload })
    expect(response.statusCode).toBe(400)
    expect(response.json().errors.map((error: { path: string }) => error.path)).toContain(path)
  })
})

describe('send_at', () => {
  const at = Math.floor(Date.now() / 1000) + 86_400

  test.each([at, String(at)])('%j schedules the push and comes back', async (send_at) => {
    const response = await send({ ...push, send_at })
    expect(response.json()).toMatchObject({ send_at: at })
    expect((await stored(response))?.send_at).toEqual(new Date(at * 1000))
  })

  test('a time that has passed is now', async () => {
    const response = await send({ ...push, send_at: at - 200_000 })
    expect(response.json()).not.toHaveProperty('send_at')
    expect((await stored(response))?.send_at).toBeNull()
  })

  test('more than 90 days ahead is refused', async () => {
    const response = await send({ ...push, send_at: at + 90 * 86_400 })
    expect(response.statusCode).toBe(400)
    expect(response.json()).toEqual({
      meta: { error: 'send_at must be at most 90 days ahead' },
      errors: [{ path: 'send_at', message: 'must be at most 90 days ahead' }],
    })
  })
})

describe('a call that its client repeats by itself', () => {
  const repeated = (count: string) => ({ 'x-retry-count': count })
  const count = async () => (await storedRows(sender)).messages

  test('is the same push; the same call that is no repeat is another', async () => {
    const body = { ...push, title: 'once' }
    const first = (await send(body)).json().delivery_id
    const before = await count()
    for (const retry of ['1', '2', '3']) {
      const again = await send(body, repeated(retry))
      expect(again.json().delivery_id).toBe(first)
    }
    expect(await count()).toBe(before)
    const other = (await send(body)).json().delivery_id
    expect(other).not.toBe(first)
    expect((await send(body, repeated('1'))).json().delivery_id).toBe(other)
  })

  test('whose first try never arrived is sent', async () => {
    const response = await send({ ...push, title: 'never arrived' }, repeated('2'))
    expect(response.statusCode).toBe(200)
  })

  test('says something else, or is of another workspace: it is no repeat', async () => {
    const body = { ...push, title: 'mine' }
    const first = (await send(body)).json().delivery_id
    const other = await send({ ...body, message: 'x' }, repeated('1'))
    expect(other.json().delivery_id).not.toBe(first)
    const theirs = await send(body, repeated('1'), undefined, sender.other.secret)
    expect(theirs.json().delivery_id).not.toBe(first)
  })

  test('long after is a push of its own', async () => {
    const body = { ...push, title: 'long ago' }
    const first = (await send(body)).json().delivery_id
    await sender.database.query(
      `update idempotency_keys set created_at = created_at - interval '10 minutes'`,
    )
    expect((await send(body, repeated('1'))).json().delivery_id).not.toBe(first)
  })

  test('an idempotency key does what it does natively', async () => {
    const key = { 'idempotency-key': 'order-7' }
    const first = await send(push, key)
    expect((await send(push, key)).json().delivery_id).toBe(first.json().delivery_id)
    const conflict = await send({ ...push, title: 'Other' }, key)
    expect(conflict.statusCode).toBe(409)
    expect(conflict.json().meta.error).toContain('Idempotency-Key')
  })
})

describe('is refused', () => {
  test.each([
    [{ ...push, identifiers: {} }, 'identifiers'],
    [{ ...push, identifiers: { id: 'a', email: 'a@b.c' } }, 'identifiers'],
    [{ ...push, identifiers: { phone: '+1' } }, 'identifiers.phone'],
    [{ ...push, identifiers: { id: '' } }, 'identifiers.id'],
    [{ ...push, identifiers: { id: 'a'.repeat(151) } }, 'identifiers.id'],
    [{ ...push, identifiers: 'anna' }, 'identifiers'],
    [{ title: 'Hello' }, 'identifiers'],
    [{ ...push, title: null }, 'title'],
    [{ ...push, title: '' }, 'title'],
    [{ ...push, title: 7 }, 'title'],
    [{ ...push, title: 'x'.repeat(1001) }, 'title'],
    [{ ...push, message: 'x'.repeat(4001) }, 'message'],
    [{ ...push, message: 'é'.repeat(1999) }, 'message'],
    [{ ...push, image_url: 'ftp://x' }, 'image_url'],
    [{ ...push, link: 'x'.repeat(3000) }, 'link'],
    [{ ...push, sound: 'loud' }, 'sound'],
    [{ ...push, to: 'x y' }, 'to'],
    [{ ...push, to: '' }, 'to'],
    [{ ...push, to: 7 }, 'to'],
    [{ ...push, custom_data: { from: 'x' } }, 'custom_data.from'],
    [{ ...push, custom_data: [] }, 'custom_data'],
    [{ ...push, send_at: 'tomorrow' }, 'send_at'],
    [{ ...push, send_at: Date.now() }, 'send_at'],
    [{ ...push, queue_draft: 'yes' }, 'queue_draft'],
    [{ ...push, from: 'me' }, 'from'],
    [{ ...push, transactional_message_id: [] }, 'transactional_message_id'],
    ['hello', 'body'],
    [null, 'body'],
  ])('what is wrong, by its name, and nothing is stored: case %#', async (body, path) => {
    const before = await everything()
    const response = await send(body)
    expect(response.statusCode, response.body).toBe(400)
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
    const paths = response.json().errors.map((error: { path: string }) => error.path)
    expect(paths).toContain(path)
    expect(response.json().meta.error).toContain(path)
    expect(await everything()).toEqual(before)
  })

  test.each([
    [{ queue_draft: true }, 'queue_draft'],
    [{ disable_message_retention: true }, 'disable_message_retention'],
  ])('what Pushkeep has not: %j', async (change, name) => {
    const response = await send({ ...push, ...change })
    expect(response.statusCode).toBe(400)
    expect(response.json().meta.error).toContain(name)
  })

  test('a call without a key, with a public one, or with one that may only read', async () => {
    const status = async (authorization: string) => {
      const response = await send(push, { authorization })
      expect(response.json()).toEqual({ meta: { error: expect.any(String) } })
      return response.statusCode
    }
    expect(await status('Bearer sk_0123456789abcdef')).toBe(401)
    expect(await status('Bearer ')).toBe(401)
    expect(await status(`Bearer ${sender.tenant.public}`)).toBe(403)
  })
})

test('no token, person or text of a push is logged', () => {
  const log = sender.lines.join('')
  for (const text of [apnsToken(20), 'anna', 'Hello', 'example.com', 'long ago']) {
    expect(log).not.toContain(text)
  }
})
