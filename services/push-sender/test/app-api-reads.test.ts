import { deliveryIdOf } from '@pushkeep/domain'
import { createPartitions, createReceiptTaker, statusCode } from '@pushkeep/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addDevice, apnsToken, get, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
  await createPartitions(sender.database, Date.now())
})
afterAll(() => sender[Symbol.asyncDispose]())

const read = async (url: string, key?: string) => {
  const response = await get(sender, url, key)
  return { status: response.statusCode, body: response.json() }
}

const query = (text: string, values: unknown[] = []) => sender.database.query(text, values)

/** A person with attributes, and a device on the first app. */
async function addPerson(id: string, attributes: object, token?: string, app = 0) {
  await query(
    `insert into people (workspace_no, id, attributes, attribute_times) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [sender.tenant.workspaceNo, id, attributes, { plan: 1_700_000_000_999 }],
  )
  const owner = sender.tenant.apps[app] ?? sender.tenant.apps[0]
  return token === undefined
    ? { deviceNo: '', personNo: '' }
    : addDevice(sender, { app: owner, personId: id, token })
}

async function numbersOf(id: string): Promise<string> {
  const { rows } = await query('select person_no from people where id = $1', [id])
  return Number(rows[0]?.person_no).toString(16).padStart(8, '0')
}

describe('attributes of a person', () => {
  beforeAll(async () => {
    const attributes = {
      email: 'Ana@Example.com',
      first_name: 'Ana',
      age: 30,
      plan: { name: 'pro' },
      tags: ['a', 1],
      premium: true,
    }
    await addPerson('ana', attributes, apnsToken(1))
    await addPerson('ana', {}, apnsToken(2), 1)
    await query(
      `update devices set last_used = 1700000001, last_status = 'sent',
              attributes = '{"device_os": "17.4", "theme": {"dark": true}}'
       where token = $1`,
      [apnsToken(1)],
    )
    await query(`update devices set last_used = 1700000000, dead_at = now() where token = $1`, [
      apnsToken(2),
    ])
  })

  test('come with all names and devices, and are text', async () => {
    const cio_id = await numbersOf('ana')
    const { status, body } = await read('/v1/customers/ana/attributes')
    expect(status).toBe(200)
    expect(body).toEqual({
      customer: {
        id: 'ana',
        identifiers: { id: 'ana', email: 'ana@example.com', cio_id },
        attributes: {
          id: 'ana',
          cio_id,
          email: 'Ana@Example.com',
          first_name: 'Ana',
          age: '30',
          plan: '{"name":"pro"}',
          tags: '["a",1]',
          premium: 'true',
        },
        timestamps: { plan: 1_700_000_000 },
        unsubscribed: false,
        devices: [
          {
            id: apnsToken(1),
            platform: 'ios',
            last_used: 1_700_000_001,
            attributes: {
              device_os: '17.4',
              theme: '{"dark":true}',
              push_enabled: 'true',
              _last_status: 'sent',
            },
          },
          {
            id: apnsToken(2),
            platform: 'ios',
            last_used: 1_700_000_000,
            attributes: { push_enabled: 'false', _last_status: '' },
          },
        ],
      },
    })
  })

  test('a key of one app sees the devices of that app', async () => {
    const { body } = await read('/v1/customers/ana/attributes', sender.tenant.appSecret)
    expect(body.customer.devices.map((device: { id: string }) => device.id)).toEqual([apnsToken(1)])
  })

  test('are found by id, address in any letter case, and cio_id', async () => {
    const cio = await numbersOf('ana')
    for (const path of [
      'ana/attributes?id_type=id',
      'ana%40example.com/attributes?id_type=email',
      'ANA@EXAMPLE.COM/attributes?id_type=email',
      `${cio}/attributes?id_type=cio_id`,
      `cio_${cio}/attributes?id_type=cio_id`,
    ]) {
      for (const place of ['/v1', '/customerio/v1']) {
        const { status, body } = await read(`${place}/customers/${path}`)
        expect([status, body.customer?.id]).toEqual([200, 'ana'])
      }
    }
  })

  test('404 for who is unknown, by any name, and in another workspace', async () => {
    for (const path of [
      'nobody/attributes',
      'ana@example.com/attributes',
      'nobody@example.com/attributes?id_type=email',
      '00ffffff/attributes?id_type=cio_id',
      'x/attributes?id_type=cio_id',
    ]) {
      const { status, body } = await read(`/v1/customers/${path}`)
      expect([path, status, body]).toEqual([
        path,
        404,
        { meta: { error: 'there is no such customer' } },
      ])
    }
    expect((await read('/v1/customers/ana/attributes', sender.other.secret)).status).toBe(404)
  })

  test('400 for another type of id', async () => {
    const { status, body } = await read('/v1/customers/ana/attributes?id_type=name')
    expect(status).toBe(400)
    expect(body.meta.error).toContain('id_type')
  })

  test.each([true, 'true', 1, '1', 'TRUE'])('who unsubscribed (%j) is shown so', async (value) => {
    const id = `unsubscribed ${typeof value} ${value}`
    await addPerson(id, { unsubscribed: value })
    const { body } = await read(`/v1/customers/${encodeURIComponent(id)}/attributes`)
    expect(body.customer.unsubscribed).toBe(true)
  })

  test('of several people, those that there are', async () => {
    await addPerson('7', { n: 7 })
    const response = await sender.app.inject({
      method: 'POST',
      url: '/v1/customers/attributes',
      headers: { authorization: `Bearer ${sender.tenant.secret}` },
      payload: { ids: ['ana', 7, 'nobody', 'ana'] },
    })
    const { customers } = response.json()
    expect(customers.map((customer: { id: string }) => customer.id)).toEqual(['ana', '7'])
    expect(customers[0].devices).toHaveLength(2)
  })

  test.each([
    [{}, 'ids'],
    [{ ids: [] }, 'ids'],
    [{ ids: Array.from({ length: 101 }, (_, n) => n) }, 'ids'],
    [{ ids: [null] }, 'ids.0'],
  ])('400 for a list of people that is none: case %#', async (payload, path) => {
    const response = await sender.app.inject({
      method: 'POST',
      url: '/v1/customers/attributes',
      headers: { authorization: `Bearer ${sender.tenant.secret}` },
      payload,
    })
    expect(response.statusCode).toBe(400)
    expect(response.json().errors).toMatchObject([{ path }])
  })
})

test('people with an address, and nobody with another one', async () => {
  await addPerson('first', { email: 'shared@example.com' })
  await addPerson('second', { email: 'SHARED@example.com' })
  const { body } = await read('/v1/customers?email=Shared%40example.com')
  expect(body).toEqual({
    results: [
      { id: 'first', email: 'shared@example.com', cio_id: await numbersOf('first') },
      { id: 'second', email: 'shared@example.com', cio_id: await numbersOf('second') },
    ],
  })
  expect((await read('/v1/customers?email=nobody@example.com')).body).toEqual({ results: [] })
  const theirs = await read('/v1/customers?email=shared@example.com', sender.other.secret)
  expect(theirs.body).toEqual({ results: [] })
  expect((await read('/v1/customers')).status).toBe(400)
  expect((await read('/v1/customers?email=')).status).toBe(400)
})

test('nobody is in a segment', async () => {
  expect((await read('/v1/customers/ana/segments')).body).toEqual({ segments: [] })
  expect((await read('/v1/customers/nobody/segments')).status).toBe(404)
})

interface Device {
  deviceNo: string
  personNo: string | null
}

async function deliver(
  messageId: string,
  device: Device,
  status: keyof typeof statusCode = 'sent',
  reason: string | null = null,
  at = '2026-01-02T03:04:05.678Z',
) {
  await query(
    `insert into deliveries (message_no, device_no, person_no, at, status, attempts, reason)
     select message_no, $2, $3, $4, $5, 1, $6 from messages where id = $1`,
    [messageId, device.deviceNo, device.personNo, at, statusCode[status], reason],
  )
}

async function newMessage(personId: string, change: object = {}): Promise<string> {
  const message = { to: { person_id: personId }, content: { title: 'Hello' }, ...change }
  return (await post(sender, message)).json().id
}

const at = Math.floor(Date.parse('2026-01-02T03:04:05Z') / 1000)

describe('messages', () => {
  test('of a person: one entry a message, with when what happened on any device', async () => {
    const phone = await addPerson('bea', { email: 'bea@example.com' }, apnsToken(10))
    const tablet = await addPerson('bea', {}, apnsToken(11))
    const id = await newMessage('bea')
    await deliver(id, phone, 'sent')
    await deliver(id, tablet, 'bounced', 'Unregistered', '2026-01-02T03:05:00Z')
    const take = createReceiptTaker(sender.database)
    const { workspaceNo } = sender.tenant
    const receipt = { workspaceNo, appNo: null, messageId: id, token: apnsToken(10), at: null }
    await take({ ...receipt, event: 'opened' })
    const { body } = await read('/v1/customers/bea/messages')
    const customer = { id: 'bea', email: 'bea@example.com', cio_id: await numbersOf('bea') }
    expect(body).toEqual({
      messages: [
        {
          id: deliveryIdOf(id),
          type: 'push',
          deduplicate_id: expect.stringContaining(deliveryIdOf(id)),
          customer_id: 'bea',
          customer_identifiers: customer,
          recipient: apnsToken(10),
          recipients: [
            { device_id: apnsToken(10), device_platform: 'ios', failure_message: null },
            { device_id: apnsToken(11), device_platform: 'ios', failure_message: 'Unregistered' },
          ],
          subject: 'Hello',
          created: expect.any(Number),
          metrics: {
            created: expect.any(Number),
            sent: at,
            bounced: at + 55,
            delivered: expect.any(Number),
            opened: expect.any(Number),
          },
          failure_message: 'Unregistered',
          campaign_id: null,
          newsletter_id: null,
          action_id: null,
        },
      ],
      next: '',
    })
    const byAddress = await read('/v1/customers/BEA@example.com/messages?id_type=email')
    expect(byAddress.body).toEqual(body)
    for (const [place, name] of [
      ['/v1', deliveryIdOf(id)],
      ['/customerio/v1', deliveryIdOf(id)],
      ['/customerio/v1', id],
    ]) {
      const { body: one } = await read(`${place}/messages/${name}`)
      expect(one).toEqual({ message: body.messages[0] })
    }
    // The native form of the id has the native message.
    expect((await read(`/v1/messages/${id}`)).body).toMatchObject({ id, state: expect.any(String) })
  })

  test.each([
    ['sent', null, 'sent'],
    ['bounced', 'UNREGISTERED', 'bounced'],
    ['suppressed', 'token_dead', 'dropped'],
    ['suppressed', 'failing', 'dropped'],
    ['suppressed', 'push_disabled', 'undeliverable'],
    ['suppressed', 'person_suppressed', 'undeliverable'],
    ['suppressed', 'reassigned', 'undeliverable'],
    ['suppressed', 'cancelled', 'undeliverable'],
    ['failed', 'PayloadTooLarge', 'failed'],
    ['expired', null, 'failed'],
    ['pending', null, null],
  ] as const)('a delivery that is %s (%s) is %s there', async (status, reason, metric) => {
    const id = await newMessage('nobody')
    await deliver(id, { deviceNo: '4711', personNo: null }, status, reason)
    const { message } = (await read(`/v1/messages/${deliveryIdOf(id)}`)).body
    const { created: _, ...metrics } = message.metrics
    expect(metrics).toEqual(metric === null ? {} : { [metric]: at })
    expect(message.failure_message).toBe(reason)
  })

  test('of a person in pages, newest first, and within times', async () => {
    const device = await addPerson('cleo', {}, apnsToken(20))
    const ids: string[] = []
    for (let count = 0; count < 5; count += 1) {
      const id = await newMessage('cleo')
      await deliver(id, device)
      ids.unshift(deliveryIdOf(id))
    }
    const walked: string[] = []
    let next = ''
    do {
      const { body } = await read(`/v1/customers/cleo/messages?limit=2&start=${next}`)
      walked.push(...body.messages.map((message: { id: string }) => message.id))
      next = body.next
    } while (next !== '')
    expect(walked).toEqual(ids)
    const now = Math.floor(Date.now() / 1000)
    const within = async (range: string) =>
      (await read(`/v1/customers/cleo/messages?${range}`)).body.messages.length
    expect(await within(`start_ts=${now - 60}`)).toBe(5)
    expect(await within(`start_ts=${now + 60}`)).toBe(0)
    expect(await within(`end_ts=${now - 60}`)).toBe(0)
    expect(await within(`end_ts=${now + 60}`)).toBe(5)
  })

  test('of an app that a key is not for are not in it', async () => {
    const device = await addPerson('dina', {}, apnsToken(30), 1)
    await deliver(await newMessage('dina'), device)
    const { body } = await read('/v1/customers/dina/messages', sender.tenant.appSecret)
    expect(JSON.stringify(body)).not.toContain(apnsToken(30))
  })

  test('to several people has no customer', async () => {
    const id = await newMessage('x', { to: { person_ids: ['ana', 'bea'] } })
    const { message } = (await read(`/v1/messages/${deliveryIdOf(id)}`)).body
    expect(message).toMatchObject({ customer_id: null, customer_identifiers: null })
  })

  test('404 in these words for an id that is none, or of another workspace', async () => {
    const id = deliveryIdOf(await newMessage('ana'))
    const unknown = deliveryIdOf('01890000-0000-7000-8000-000000000000')
    for (const url of [`/v1/messages/${unknown}`, '/customerio/v1/messages/x']) {
      expect(await read(url)).toEqual({
        status: 404,
        body: { meta: { error: 'there is no message with this id' } },
      })
    }
    expect((await read(`/v1/messages/${id}`, sender.other.secret)).status).toBe(404)
  })

  test('all of them are listed below /customerio/v1; below /v1 the list is the native one', async () => {
    const { body } = await read('/customerio/v1/messages?limit=3&type=push')
    expect(body.messages).toHaveLength(3)
    expect(body.messages[0]).toMatchObject({ type: 'push', id: expect.stringMatching(/^.{22}$/) })
    const { body: rest } = await read(`/customerio/v1/messages?limit=100&start=${body.next}`)
    expect(rest.messages[0].id).not.toBe(body.messages[2].id)
    expect((await read('/v1/messages')).body).toHaveProperty('next_cursor')
    expect((await read('/customerio/v1/messages?type=email')).status).toBe(400)
    expect((await read('/customerio/v1/messages?campaign_id=1')).status).toBe(400)
  })

  test.each(['limit=0', 'limit=1001', 'start=x', 'start_ts=x', 'page=2'])(
    '400 for ?%s',
    async (text) => {
      const { status, body } = await read(`/v1/customers/ana/messages?${text}`)
      expect(status).toBe(400)
      expect(body.meta.error).toContain(text.split('=')[0])
    },
  )
})

describe('activities of a person', () => {
  beforeAll(async () => {
    const { workspaceNo } = sender.tenant
    await addPerson('ella', {})
    await query(
      `insert into person_events (person_no, at, workspace_no, type, name, properties)
       select person_no, timestamptz '2026-01-02T03:04:05Z' + n * interval '1 minute', $1,
              case when n % 2 = 0 then 'event' else 'screen' end, 'what ' || n,
              jsonb_build_object('n', n)
       from people, generate_series(1, 15) n where id = 'ella'`,
      [workspaceNo],
    )
  })

  test('are their events, the latest first, in pages', async () => {
    const first = (await read('/v1/customers/ella/activities')).body
    expect(first.activities).toHaveLength(10)
    expect(first.activities[0]).toEqual({
      id: expect.any(String),
      type: 'screen',
      name: 'what 15',
      timestamp: at + 15 * 60,
      customer_id: 'ella',
      customer_identifiers: { id: 'ella', email: null, cio_id: await numbersOf('ella') },
      data: { n: 15 },
      delivery_id: null,
      delivery_type: null,
    })
    const second = (await read(`/v1/customers/ella/activities?start=${first.next}`)).body
    expect(second.activities).toHaveLength(5)
    expect(second.next).toBe('')
    const ids = [...first.activities, ...second.activities].map(({ id }) => id)
    expect(new Set(ids).size).toBe(15)
  })

  test('of one type or name', async () => {
    const { body } = await read('/v1/customers/ella/activities?limit=100&type=event')
    expect(body.activities).toHaveLength(7)
    const named = await read('/v1/customers/ella/activities?limit=100&name=what%203')
    expect(named.body.activities).toMatchObject([{ name: 'what 3' }])
  })

  test('400 for a type that is not kept, 404 for nobody', async () => {
    const { status, body } = await read('/v1/customers/ella/activities?type=sent_email')
    expect(status).toBe(400)
    expect(body.meta.error).toContain('type must be one of')
    expect((await read('/v1/customers/nobody/activities')).status).toBe(404)
    expect((await read('/v1/customers/ella/activities?start=zz')).status).toBe(400)
  })
})

describe('what Pushkeep has not', () => {
  test.each([
    ['POST', '/send/email', 'email is not sent'],
    ['POST', '/send/in_app', 'in_app is not sent'],
    ['POST', '/campaigns/3/triggers', 'campaigns are not kept'],
    ['POST', '/api/campaigns/3/triggers', 'campaigns are not kept'],
    ['GET', '/segments', 'segments are not kept'],
    ['GET', '/exports/1/download', 'exports are not kept'],
    ['POST', '/customers?limit=5', 'people are not searched by filter'],
    ['GET', '/customers/ana/relationships', 'relationships are not kept'],
  ] as const)('is refused by name: %s %s', async (method, path, error) => {
    for (const place of ['/v1', '/customerio/v1']) {
      const send = (authorization: string) =>
        sender.app.inject({ method, url: place + path, headers: { authorization }, payload: {} })
      const response = await send(`Bearer ${sender.tenant.secret}`)
      expect(response.statusCode).toBe(400)
      expect(response.json()).toEqual({ meta: { error: `${error} by Pushkeep` } })
      expect((await send('Bearer x')).statusCode).toBe(401)
    }
  })

  test('and what nobody has is 404', async () => {
    expect(await read('/customerio/v1/no/such')).toEqual({
      status: 404,
      body: { meta: { error: 'there is no such route' } },
    })
    expect((await read('/v1/no/such')).body).toMatchObject({ code: 'unknown_route' })
  })
})

test('every route asks for a secret key', async () => {
  const paths = ['customers/ana/attributes', 'customers?email=a', 'customers/ana/messages']
  for (const path of [...paths, 'customers/ana/activities', 'messages/AAAAAAAAAAAAAAAAAAAAAA']) {
    for (const place of ['/v1', '/customerio/v1']) {
      expect((await read(`${place}/${path}`, 'sk_0123456789abcdef')).status).toBe(401)
      const { status, body } = await read(`${place}/${path}`, sender.tenant.public)
      expect([status, body]).toEqual([403, { meta: { error: expect.stringContaining('secret') } }])
    }
  }
})
