import { request } from 'node:https'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { IssuedApp } from '../src/credentials.ts'
import { type Simulator, startSimulator } from '../src/index.ts'
import { accessToken, admin, type Client, fcmClient, newToken, sendFcm } from './client.ts'

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError'
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest'

let simulator: Simulator
let client: Client
let bearer: string
let clock = 0

beforeAll(async () => {
  simulator = await startSimulator({ now: () => Date.now() + clock })
  client = fcmClient(simulator)
  bearer = await accessToken(client, simulator.credentials)
})

afterAll(async () => {
  await client.close()
  await simulator.close()
})

beforeEach(async () => {
  clock = 0
  await admin(simulator, 'POST', '/reset')
})

function send(message: unknown, rest: object = {}) {
  return sendFcm(client, bearer, { message, ...rest })
}

describe('a message that FCM would accept', () => {
  test('is answered with its name', async () => {
    const answer = await send({ token: 'abc:def', data: { a: 'b' } })
    const name = expect.stringMatching(/^projects\/pushkeep-simulator\/messages\/0:\d+%\w+$/)
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ name })
  })

  test.each([
    ['a topic', { topic: 'news', notification: { title: 'Hi' } }],
    ['a condition', { condition: "'a' in topics", notification: { title: 'Hi' } }],
    ['an installation id', { fid: 'c1234567890123456789ab' }],
    [
      'snake_case',
      {
        token: 't',
        android: {
          collapse_key: 'k',
          priority: 'HIGH',
          ttl: '3.5s',
          notification: { channel_id: 'c', notification_count: 3, default_sound: true },
          direct_boot_ok: true,
        },
        fcm_options: { analytics_label: 'l' },
      },
    ],
    [
      'lowerCamelCase',
      {
        token: 't',
        android: {
          collapseKey: 'k',
          priority: 'high',
          restrictedPackageName: 'com.example',
          notification: {
            channelId: 'c',
            bodyLocArgs: ['a'],
            notificationPriority: 'PRIORITY_MAX',
          },
        },
        fcmOptions: { analyticsLabel: 'l' },
      },
    ],
    [
      'an APNs and a web part',
      {
        token: 't',
        apns: { headers: { 'apns-priority': '5' }, payload: { aps: { badge: 1 }, other: [1] } },
        webpush: { headers: { TTL: '5' }, notification: { any: 'thing' } },
      },
    ],
    ['null for what is absent', { token: 't', notification: null, data: null }],
    ['4,096 bytes of data', { token: 't', data: { k: 'x'.repeat(4095) } }],
  ])('may have %s', async (_, message) => {
    expect(await send(message)).toMatchObject({ status: 200 })
  })

  test('leaves no trace where it is only to be validated', async () => {
    const name = 'projects/pushkeep-simulator/messages/fake_message_id'
    expect(await send({ token: 't' }, { validate_only: true })).toMatchObject({ body: { name } })
    expect(await send({ token: 't' }, { validateOnly: true })).toMatchObject({ body: { name } })
    const { body } = await admin(simulator, 'GET', '/received/count')
    expect(body).toMatchObject({ requests: 0 })
  })

  test('is refused when validated where it would be refused when sent', async () => {
    await admin(simulator, 'PUT', '/tokens/gone', { behaviour: { kind: 'unregistered' } })
    expect(await send({ token: 'gone' }, { validate_only: true })).toMatchObject({ status: 404 })
  })

  test('may come over HTTP/1.1', async () => {
    const answer = await overHttp1({ message: { token: 'over-http1' } })
    expect(answer).toMatchObject({ status: 200, body: { name: expect.any(String) } })
    const { body } = await admin(simulator, 'GET', '/received?token=over-http1')
    expect(body).toMatchObject([{ provider: 'fcm', status: 200 }])
  })
})

describe('a body that is not an FCM message', () => {
  test.each([
    [
      { token: 't', data: { a: 'b', n: 12 } },
      'message.data[1].value',
      "Invalid value at 'message.data[1].value' (TYPE_STRING), 12",
    ],
    [
      { token: 't', surprise: 1 },
      'message',
      `Invalid JSON payload received. Unknown name "surprise" at 'message': Cannot find field.`,
    ],
    [
      { token: 't', android: { notification: { sticky: 'yes' } } },
      'message.android.notification.sticky',
      `Invalid value at 'message.android.notification.sticky' (TYPE_BOOL), "yes"`,
    ],
    [
      { token: 't', android: { priority: 'URGENT' } },
      'message.android.priority',
      `Invalid value at 'message.android.priority' (TYPE_ENUM), "URGENT"`,
    ],
    [
      { token: 't', topic: 'news' },
      'message',
      "Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set 'topic'",
    ],
  ])('is refused without an FcmError: %o', async (message, field, description) => {
    const answer = await send(message)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({
      error: {
        code: 400,
        message: description,
        status: 'INVALID_ARGUMENT',
        details: [{ '@type': BAD_REQUEST, fieldViolations: [{ field, description }] }],
      },
    })
  })

  test.each(['{', '[]', '"text"', ''])('is refused where it is %j', async (text) => {
    expect(await sendFcm(client, bearer, text)).toMatchObject({
      status: 400,
      body: { error: { status: 'INVALID_ARGUMENT' } },
    })
  })
})

describe('a message that FCM would refuse', () => {
  test.each([
    [{ data: { a: 'b' } }, 'message', 'Recipient of the message is not set.'],
    [{ token: 't', data: { from: 'x' } }, 'message.data[0].key', 'Invalid data payload key: from'],
    [
      { token: 't', data: { a: 'b', 'google.x': 'x' } },
      'message.data[1].key',
      'Invalid data payload key: google.x',
    ],
    [
      { token: 't', android: { data: { 'gcm.n': 'x' } } },
      'message.android.data[0].key',
      'Invalid data payload key: gcm.n',
    ],
    [
      { token: 't', android: { ttl: '2419201s' } },
      'message.android.ttl',
      'TTL must be between 0s and 2419200s.',
    ],
    [
      { token: 't', android: { ttl: '-1s' } },
      'message.android.ttl',
      'TTL must be between 0s and 2419200s.',
    ],
    [{ token: 't', data: { k: 'x'.repeat(4096) } }, 'message', 'Android message is too big'],
    [{ topic: 'news', data: { k: 'x'.repeat(2048) } }, 'message', 'Android message is too big'],
    [
      { token: 't', notification: { body: 'ü'.repeat(2048) } },
      'message',
      'Android message is too big',
    ],
    [
      { token: 't', apns: { payload: { aps: { alert: 'x'.repeat(4096) } } } },
      'message.apns.payload',
      'APNS message is too big',
    ],
  ])('is answered with an FcmError that names the field: %o', async (message, field, text) => {
    const answer = await send(message)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({
      error: {
        code: 400,
        message: text,
        status: 'INVALID_ARGUMENT',
        details: [
          { '@type': FCM_ERROR, errorCode: 'INVALID_ARGUMENT' },
          { '@type': BAD_REQUEST, fieldViolations: [{ field, description: text }] },
        ],
      },
    })
  })

  test('is recorded with its token', async () => {
    await send({ token: 'too-big', data: { k: 'x'.repeat(5000) } })
    const { body } = await admin(simulator, 'GET', '/received?token=too-big')
    expect(body).toMatchObject([{ status: 400, reason: 'INVALID_ARGUMENT', accepted: false }])
  })
})

describe('a bearer', () => {
  test('that is missing or unknown is answered 401 with an ErrorInfo', async () => {
    const answer = await sendFcm(client, 'ya29.unknown', { message: { token: 't' } })
    expect(answer.status).toBe(401)
    expect(answer.body).toEqual({
      error: {
        code: 401,
        message: expect.stringContaining('invalid authentication credentials'),
        status: 'UNAUTHENTICATED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'ACCESS_TOKEN_TYPE_UNSUPPORTED',
            domain: 'googleapis.com',
            metadata: {
              service: 'fcm.googleapis.com',
              method: 'google.firebase.fcm.v1.FcmService.SendMessage',
            },
          },
        ],
      },
    })
  })

  test('ends after an hour, and when all are revoked', async () => {
    const own = await accessToken(client, simulator.credentials)
    const sendOwn = () => sendFcm(client, own, { message: { token: 't' } })
    expect(await sendOwn()).toMatchObject({ status: 200 })
    clock = 3_600_000
    expect(await sendOwn()).toMatchObject({ status: 401 })
    clock = 0
    const renewed = await accessToken(client, simulator.credentials)
    await admin(simulator, 'POST', '/oauth/revoke')
    expect(await sendFcm(client, renewed, { message: { token: 't' } })).toMatchObject({
      status: 401,
    })
    bearer = await accessToken(client, simulator.credentials)
  })

  test('for an unknown project is answered 404 without an FcmError', async () => {
    const answer = await sendFcm(client, bearer, { message: { token: 't' } }, 'no-such-project')
    expect(answer.status).toBe(404)
    expect(answer.body).toEqual({
      error: { code: 404, message: 'Requested entity was not found.', status: 'NOT_FOUND' },
    })
  })

  test('for another project is answered 403 without an FcmError', async () => {
    const { body } = await admin(simulator, 'POST', '/credentials', {
      name: 'neighbour',
      project_id: 'neighbour-project',
    })
    expect(IssuedApp.parse(body).fcm.projectId).toBe('neighbour-project')
    const answer = await sendFcm(client, bearer, { message: { token: 't' } }, 'neighbour-project')
    expect(answer).toMatchObject({ status: 403, body: { error: { status: 'PERMISSION_DENIED' } } })
    expect(answer.text).not.toContain('FcmError')
  })
})

describe('a quota', () => {
  test('of one device ends in 429 QUOTA_EXCEEDED for that device', async () => {
    await admin(simulator, 'PUT', '/faults', {
      fcm: { token_limit: { requests: 1, window_s: 60 } },
    })
    const token = newToken()
    expect(await send({ token })).toMatchObject({ status: 200 })
    const refused = await send({ token })
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '60' } })
    expect(refused.text).toContain('QuotaFailure')
    expect(await send({ token: newToken() })).toMatchObject({ status: 200 })
  })

  test('of the project ends in 429 for all, until its window is over', async () => {
    await admin(simulator, 'PUT', '/faults', {
      fcm: { project_limit: { requests: 2, window_s: 30 } },
    })
    const statuses = []
    for (let n = 0; n < 3; n++) statuses.push((await send({ token: newToken() })).status)
    expect(statuses).toEqual([200, 200, 429])
    clock = 31_000
    expect(await send({ token: newToken() })).toMatchObject({ status: 200 })
  })
})

test('any other path is answered 404', async () => {
  const answer = await client.request({ ':method': 'GET', ':path': '/v1/projects/p/messages:send' })
  expect(answer).toMatchObject({ status: 404 })
})

function overHttp1(body: object): Promise<{ status: number | undefined; body: unknown }> {
  return new Promise((resolve, reject) => {
    const url = `${simulator.urls.fcm}/v1/projects/pushkeep-simulator/messages:send`
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
    const sent = request(url, { method: 'POST', ca: simulator.caPem, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode, body: JSON.parse(text) })
      })
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}
