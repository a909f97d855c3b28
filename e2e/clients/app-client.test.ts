import { Agent } from 'node:http'
import {
  APIClient,
  CustomerIORequestError,
  IdentifierType,
  SendEmailRequest,
  SendInAppRequest,
  SendInboxMessageRequest,
  SendPushRequest,
  SendSMSRequest,
  SendWhatsAppRequest,
  TrackClient,
} from 'customerio-node'
import {
  APIClient as APIClient44,
  IdentifierType as IdentifierType44,
  SendPushRequest as SendPushRequest44,
} from 'customerio-node-4.4'
import {
  APIClient as APIClient45,
  IdentifierType as IdentifierType45,
  SendPushRequest as SendPushRequest45,
} from 'customerio-node-4.5'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, androidToken, iosToken } from '../test/system.ts'
import { type ForgetfulProxy, openForgetfulProxy } from './forgetful-proxy.ts'
import { openWorld, type World } from './world.ts'

/** What the tests do with each version. */
interface Version {
  client: (key?: string) => Pick<APIClient, 'getCustomersByEmail' | 'triggerBroadcast'>
  push: (options: PushOptions) => Promise<Record<string, unknown>>
  attributes: (id: string, type?: 'Id' | 'Email' | 'CioId') => Promise<Answer['body']>
}

type PushOptions = ConstructorParameters<typeof SendPushRequest>[0]

let world: World
let proxy: ForgetfulProxy
let v5: APIClient
const versions: Record<string, Version> = {}

beforeAll(async () => {
  world = await openWorld()
  const { sender_url, secret_key } = world.system.local
  proxy = await openForgetfulProxy(sender_url)
  // As the documentation has it, with our address in place of api.customer.io.
  const five = (key = secret_key, url = `${sender_url}/v1`) => new APIClient(key, { url })
  v5 = five()
  // 4.x takes the host of `url` alone and insists on https, except by Node's own request options.
  const url = `${sender_url}/v1`
  const defaults = { url, protocol: 'http:', port: new URL(sender_url).port, agent: new Agent() }
  const v44 = (key = secret_key) => new APIClient44(key, defaults)
  const v45 = (key = secret_key) => new APIClient45(key, defaults)
  versions['5.2'] = {
    client: five,
    push: (options) => v5.sendPush(new SendPushRequest(options)),
    attributes: (id, type = 'Id') => v5.getAttributes(id, IdentifierType[type]),
  }
  versions['4.5'] = {
    client: v45,
    push: (options) => v45().sendPush(new SendPushRequest45(options)),
    attributes: (id, type = 'Id') => v45().getAttributes(id, IdentifierType45[type]),
  }
  versions['4.4'] = {
    client: v44,
    push: (options) => v44().sendPush(new SendPushRequest44(options)),
    attributes: (id, type = 'Id') => v44().getAttributes(id, IdentifierType44[type]),
  }
})

afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

function versionOf(name: string): Version {
  const version = versions[name]
  if (!version) throw new Error(`no version ${name}`)
  return version
}

/** Registers a device natively. */
async function register(person: string, token: string, change: object = {}) {
  const platform = /^[0-9a-f]{64}$/.test(token) ? 'ios' : 'android'
  const path = `/v1/people/${encodeURIComponent(person)}/devices`
  const body = { device: { id: token, platform, ...change } }
  expect((await world.system.registry('PUT', path, body)).status).toBe(200)
}

interface Arrived {
  token: string
  push_type: string
  payload: Answer['body']
}

/** What a phone got so far. */
async function arrivedAt(token: string): Promise<Arrived[]> {
  const path = `/received?token=${encodeURIComponent(token)}&payload=1`
  return (await world.system.simulator('GET', path)).body
}

/** Waits for the first push to a phone. */
async function firstAt(token: string): Promise<Arrived> {
  await expect.poll(() => arrivedAt(token), { timeout: 15_000 }).toHaveLength(1)
  const [first] = await arrivedAt(token)
  if (!first) throw new Error('nothing arrived')
  return first
}

/** What became of a message natively, by its delivery id. */
async function messageBehind(deliveryId: unknown) {
  const bytes = Buffer.from(String(deliveryId), 'base64url').toString('hex')
  const id = bytes.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return (await world.system.sender('GET', `/v1/messages/${id}`)).body
}

describe.each(['5.2', '4.5', '4.4'])('customerio-node %s', (name) => {
  test('a transactional push reaches all devices of a person, as it was written', async () => {
    const { push } = versionOf(name)
    const [ios, android, person] = [iosToken(), androidToken(), `ana ${name}`]
    await register(person, ios)
    await register(person, android)
    const answer = await push({
      transactional_message_id: 'welcome',
      identifiers: { id: person },
      title: 'Your order',
      message: 'is on its way',
      image_url: 'https://images.example/a.png',
      link: 'app://orders/7',
      custom_data: { order: '7' },
      sound: 'default',
    })
    expect(answer).toEqual({
      delivery_id: expect.stringMatching(/^[\w-]{22}$/),
      queued_at: expect.any(Number),
    })
    const { payload: toIos } = await firstAt(ios)
    expect(toIos).toMatchObject({
      aps: {
        alert: { title: 'Your order', body: 'is on its way' },
        sound: 'default',
        'mutable-content': 1,
      },
      order: '7',
      CIO: { push: { image: 'https://images.example/a.png', link: 'app://orders/7' } },
      'CIO-Delivery-ID': answer.delivery_id,
      'CIO-Delivery-Token': ios,
    })
    const { payload: toAndroid } = await firstAt(android)
    expect(toAndroid.message).toMatchObject({
      notification: { title: 'Your order', body: 'is on its way' },
      data: {
        order: '7',
        link: 'app://orders/7',
        image: 'https://images.example/a.png',
        'CIO-Delivery-ID': answer.delivery_id,
        'CIO-Delivery-Token': android,
      },
    })
    await expect
      .poll(async () => (await messageBehind(answer.delivery_id)).counts, { timeout: 10_000 })
      .toMatchObject({ recipients: 2, sent: 2 })
  })

  test('a person who is unknown is created, and a device of the call is theirs', async () => {
    const { push } = versionOf(name)
    const [token, email] = [iosToken(), `new-${name}@example.com`]
    await push({
      transactional_message_id: 1,
      identifiers: { email },
      title: 'Hello',
      device: {
        token,
        platform: 'ios',
        last_used: 1_700_000_000,
        attributes: { device_model: 'iPhone15,2', push_enabled: 'true' },
      },
    })
    expect(await firstAt(token)).toMatchObject({ payload: { aps: { alert: { title: 'Hello' } } } })
    expect(await world.attributes(email)).toEqual({ email })
    expect(await world.device(token)).toMatchObject({
      person_id: email,
      last_used: 1_700_000_000,
      attributes: { device_model: 'iPhone15,2' },
    })
  })

  test('one device alone gets it: the one used last, or the one of a token', async () => {
    const { push } = versionOf(name)
    const [old, recent, person] = [iosToken(), iosToken(), `ben ${name}`]
    await register(person, old, { last_used: 1_600_000_000 })
    await register(person, recent, { last_used: 1_700_000_000 })
    const common = { transactional_message_id: 1, identifiers: { id: person } }
    await push({ ...common, title: 'Last', to: 'last_used' })
    expect(await firstAt(recent)).toMatchObject({ payload: { aps: { alert: { title: 'Last' } } } })
    await push({ ...common, title: 'Token', to: old })
    expect(await firstAt(old)).toMatchObject({ payload: { aps: { alert: { title: 'Token' } } } })
    expect(await arrivedAt(recent)).toHaveLength(1)
  })

  test('a custom payload arrives as it is', async () => {
    const { push } = versionOf(name)
    const [ios, android, person] = [iosToken(), androidToken(), `cleo ${name}`]
    await register(person, ios)
    await register(person, android)
    const aps = { alert: { title: 'Raw', subtitle: 'sub' }, 'mutable-content': 1, badge: 3 }
    const message = {
      notification: { title: 'Raw', body: 'Android' },
      data: { link: 'app://raw' },
      android: { notification: { channel_id: 'news' } },
    }
    await push({
      transactional_message_id: 1,
      identifiers: { id: person },
      custom_payload: {
        ios: { CIO: { push: { link: 'app://raw' } }, aps, own: { deep: [1] } },
        android: { message },
      },
    })
    expect((await firstAt(ios)).payload).toMatchObject({
      CIO: { push: { link: 'app://raw' } },
      aps,
      own: { deep: [1] },
    })
    const { payload } = await firstAt(android)
    expect(payload.message).toMatchObject({
      ...message,
      android: { notification: { channel_id: 'news' } },
    })
  })

  test('a push that is scheduled waits, and comes', async () => {
    const { push } = versionOf(name)
    const [token, person] = [iosToken(), `dora ${name}`]
    await register(person, token)
    const common = { transactional_message_id: 1, identifiers: { id: person }, title: 'Later' }
    const send_at = Math.floor(Date.now() / 1000) + 86_400
    const answer = await push({ ...common, send_at })
    expect(answer).toMatchObject({ send_at })
    const message = await messageBehind(answer.delivery_id)
    expect(message).toMatchObject({ state: 'scheduled' })
    expect(await arrivedAt(token)).toEqual([])
    const path = `/v1/messages/${message.id}/release`
    expect((await world.system.sender('POST', path)).status).toBe(200)
    await firstAt(token)
  })

  test("a person's attributes and devices, by id, address and cio_id", async () => {
    const { attributes, client } = versionOf(name)
    const [token, person, email] = [iosToken(), `eva-${name}`, `Eva-${name}@example.com`]
    await register(person, token, { attributes: { device_os: '17.4' } })
    await world.system.registry('PUT', `/v1/people/${person}`, {
      attributes: { email, first_name: 'Eva', age: 30, plan: { name: 'pro' } },
    })
    const { customer } = await attributes(person)
    expect(customer).toMatchObject({
      id: person,
      identifiers: { id: person, email: email.toLowerCase() },
      attributes: { email, first_name: 'Eva', age: '30', plan: '{"name":"pro"}' },
      unsubscribed: false,
      devices: [
        {
          id: token,
          platform: 'ios',
          attributes: { device_os: '17.4', push_enabled: 'true', _last_status: '' },
        },
      ],
    })
    expect(await attributes(email, 'Email')).toEqual({ customer })
    expect(await attributes(customer.identifiers.cio_id, 'CioId')).toEqual({ customer })
    expect(await client().getCustomersByEmail(email)).toEqual({ results: [customer.identifiers] })
    expect(await client().getCustomersByEmail('nobody@example.com')).toEqual({ results: [] })
  })

  test('what is wrong is said in words', async () => {
    const { push, client, attributes } = versionOf(name)
    const common = { transactional_message_id: 1, identifiers: { id: 'x' } }
    await expect(push(common)).rejects.toMatchObject({
      statusCode: 400,
      message: 'title is required, or message, or custom_payload',
    })
    await expect(push({ ...common, title: 'x'.repeat(1001) })).rejects.toMatchObject({
      statusCode: 400,
      message: 'title must be at most 1000 bytes',
    })
    await expect(attributes('nobody')).rejects.toMatchObject({
      statusCode: 404,
      message: 'there is no such customer',
    })
    await expect(client('sk_of_nobody_at_all').getCustomersByEmail('a@b.c')).rejects.toMatchObject({
      statusCode: 401,
    })
    await expect(
      client(world.system.local.public_key).getCustomersByEmail('a@b.c'),
    ).rejects.toMatchObject({ statusCode: 403 })
    await expect(client().triggerBroadcast(3, { a: 1 }, { ids: ['x'] })).rejects.toMatchObject({
      statusCode: 400,
      message: 'campaigns are not kept by Pushkeep',
    })
  })
})

describe('customerio-node 5.2 alone', () => {
  test('a push whose answer was lost is repeated by the client, and rings once', async () => {
    const [token, person] = [iosToken(), 'repeated']
    await register(person, token)
    const client = new APIClient(world.system.local.secret_key, {
      url: `${proxy.url}/v1`,
      retry: { minTimeoutMs: 20 },
    })
    const before = proxy.connections()
    proxy.loseNext(2)
    const request = new SendPushRequest({
      transactional_message_id: 1,
      identifiers: { id: person },
      title: 'Once',
    })
    const answer = await client.sendPush(request)
    expect(proxy.connections() - before).toBe(3)
    await firstAt(token)
    await expect
      .poll(async () => (await messageBehind(answer.delivery_id)).state, { timeout: 10_000 })
      .toBe('done')
    expect(await arrivedAt(token)).toHaveLength(1)
    const { messages } = await v5.getCustomerMessages(person)
    expect(messages).toHaveLength(1)
  })

  test('messages of a person tell what became of them, up to the tap', async () => {
    const [token, person] = [iosToken(), 'reader']
    await register(person, token)
    const { delivery_id } = await v5.sendPush(
      new SendPushRequest({
        transactional_message_id: 1,
        identifiers: { id: person },
        title: 'Read me',
      }),
    )
    await firstAt(token)
    const { registry_url, secret_key } = world.system.local
    const track = new TrackClient('site', secret_key, { url: `${registry_url}/api/v1` })
    await track.trackPush({ delivery_id, device_id: token, event: 'opened', timestamp: 1 })
    const metrics = async () => (await v5.getCustomerMessages(person)).messages[0]?.metrics
    await expect.poll(metrics, { timeout: 10_000 }).toMatchObject({
      created: expect.any(Number),
      sent: expect.any(Number),
      delivered: expect.any(Number),
      opened: expect.any(Number),
    })
    const { messages, next } = await v5.getCustomerMessages(person, { limit: 1 })
    expect(messages).toMatchObject([
      { id: delivery_id, type: 'push', customer_id: person, recipient: token, subject: 'Read me' },
    ])
    expect(next).toBe('')
    expect(await v5.getMessage(delivery_id)).toEqual({ message: messages[0] })
  })

  test('all messages are listed under the base URL that is for Customer.io alone', async () => {
    const { sender_url, secret_key } = world.system.local
    const client = new APIClient(secret_key, { url: `${sender_url}/customerio/v1` })
    const first = await client.getMessages({ limit: 2, type: 'push' })
    expect(first.messages).toHaveLength(2)
    const second = await client.getMessages({ limit: 2, start: first.next })
    const ids = [...first.messages, ...second.messages].map(({ id }: { id: string }) => id)
    expect(new Set(ids).size).toBe(4)
    expect(await client.getMessage(ids[0] ?? '')).toEqual({ message: first.messages[0] })
  })

  test('what a person did, and people by the hundred', async () => {
    const { registry_url, secret_key } = world.system.local
    const track = new TrackClient('site', secret_key, { url: `${registry_url}/api/v1` })
    await track.track('doer', { name: 'bought', data: { n: 1 } })
    await track.trackPageView('doer', '/cart')
    const { activities } = await v5.getCustomerActivities('doer')
    expect(activities).toMatchObject([
      { type: 'page', name: '/cart', customer_id: 'doer' },
      { type: 'event', name: 'bought', data: { n: 1 } },
    ])
    const bought = await v5.getCustomerActivities('doer', { type: 'event', name: 'bought' })
    expect(bought.activities).toHaveLength(1)
    const { customers } = await v5.getCustomersAttributes(['doer', 'nobody'])
    expect(customers.map(({ id }: { id: string }) => id)).toEqual(['doer'])
    expect(await v5.getCustomerSegments('doer')).toEqual({ segments: [] })
  })

  const request = { identifiers: { id: 'x' }, transactional_message_id: 1 }
  const refused: [name: string, call: (client: APIClient) => Promise<unknown>][] = [
    ['sendEmail', (api) => api.sendEmail(new SendEmailRequest({ ...request, to: 'a@b.c' }))],
    ['sendSMS', (api) => api.sendSMS(new SendSMSRequest(request))],
    ['sendWhatsApp', (api) => api.sendWhatsApp(new SendWhatsAppRequest(request))],
    ['sendInboxMessage', (api) => api.sendInboxMessage(new SendInboxMessageRequest(request))],
    ['sendInApp', (api) => api.sendInApp(new SendInAppRequest(request))],
    ['triggerBroadcast', (api) => api.triggerBroadcast(1, { a: 1 }, { emails: ['a@b.c'] })],
    ['searchCustomers', (api) => api.searchCustomers({ segment: { id: 1 } })],
    ['getCustomerRelationships', (api) => api.getCustomerRelationships('x')],
    ['getCustomerSubscriptionPreferences', (api) => api.getCustomerSubscriptionPreferences('x')],
    ['listActivities', (api) => api.listActivities()],
    ['listSegments', (api) => api.listSegments()],
    ['listExports', (api) => api.listExports()],
    ['listCampaigns', (api) => api.listCampaigns()],
    ['listBroadcasts', (api) => api.listBroadcasts()],
    ['listReportingWebhooks', (api) => api.listReportingWebhooks()],
  ]
  test.each(refused)('%s is refused, by its name', async (_name, call) => {
    const error = await call(v5).then(
      () => null,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(CustomerIORequestError)
    expect(error).toMatchObject({
      statusCode: 400,
      message: expect.stringMatching(/ by Pushkeep$/),
    })
  })
})
