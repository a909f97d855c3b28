import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { APNS_REASONS } from '../src/apns/reasons.ts'
import { FCM_ERROR_CODES } from '../src/fcm/errors.ts'
import { type Behaviour, type Simulator, startSimulator } from '../src/index.ts'
import {
  accessToken,
  admin,
  apnsClient,
  type Client,
  fcmClient,
  newToken,
  push,
  sendFcm,
} from './client.ts'

let simulator: Simulator
let apns: Client
let sandbox: Client
let fcm: Client
let bearer: string

beforeAll(async () => {
  simulator = await startSimulator()
  apns = apnsClient(simulator)
  sandbox = apnsClient(simulator, 'sandbox')
  fcm = fcmClient(simulator)
  bearer = await accessToken(fcm, simulator.credentials)
})

afterAll(async () => {
  await Promise.all([apns, sandbox, fcm].map((client) => client.close()))
  await simulator.close()
})

beforeEach(async () => {
  await admin(simulator, 'POST', '/reset')
})

async function behaving(behaviour: Behaviour, times?: number): Promise<string> {
  const token = newToken()
  const rule = times === undefined ? { behaviour } : { behaviour, times }
  const { status } = await admin(simulator, 'PUT', `/tokens/${token}`, rule)
  expect(status).toBe(200)
  return token
}

function toFcm(token: string) {
  return sendFcm(fcm, bearer, { message: { token, data: { a: 'b' } } })
}

function errorCodes(body: unknown): unknown {
  return expect.objectContaining({ error: expect.objectContaining(body) })
}

const SINCE = 1_700_000_000_123

describe('over APNs a token', () => {
  test.each<[Behaviour, number, object]>([
    [{ kind: 'unregistered', since: SINCE }, 410, { reason: 'Unregistered', timestamp: SINCE }],
    [{ kind: 'expired', since: SINCE }, 410, { reason: 'ExpiredToken', timestamp: SINCE }],
    [{ kind: 'bad-token' }, 400, { reason: 'BadDeviceToken' }],
    [{ kind: 'environment', environment: 'sandbox' }, 400, { reason: 'BadDeviceToken' }],
    [{ kind: 'wrong-topic' }, 400, { reason: 'DeviceTokenNotForTopic' }],
    [{ kind: 'throttled' }, 429, { reason: 'TooManyRequests' }],
  ])('that is %o is answered %i %o', async (behaviour, status, body) => {
    const answer = await push(simulator, apns, await behaving(behaviour))
    expect(answer).toMatchObject({ status, body })
    expect(answer.body).toEqual(body)
  })

  test('of one environment is accepted there', async () => {
    const token = await behaving({ kind: 'environment', environment: 'sandbox' })
    expect(await push(simulator, sandbox, token)).toMatchObject({ status: 200 })
  })

  test('is dead since it was declared dead, not since it was asked for', async () => {
    const before = Date.now()
    const token = await behaving({ kind: 'unregistered' })
    const after = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { body } = await push(simulator, apns, token)
    const timestamp = expect.toSatisfy((since) => since >= before && since <= after)
    expect(body).toEqual({ reason: 'Unregistered', timestamp })
  })

  test.each(Object.entries(APNS_REASONS))('may be answered %s (%i)', async (reason, status) => {
    const token = await behaving({ kind: 'status', status, reason, since: SINCE })
    const answer = await push(simulator, apns, token)
    const timestamp = status === 410 ? { timestamp: SINCE } : {}
    expect(answer).toMatchObject({ status })
    expect(answer.body).toEqual({ reason, ...timestamp })
  })

  test('may be answered with a reason that nobody has documented', async () => {
    const token = await behaving({ kind: 'status', status: 451, reason: 'BrandNew' })
    expect(await push(simulator, apns, token)).toMatchObject({
      status: 451,
      body: { reason: 'BrandNew' },
    })
  })
})

describe('over FCM a token', () => {
  test.each<[Behaviour, number, string, string]>([
    [{ kind: 'unregistered' }, 404, 'NOT_FOUND', 'UNREGISTERED'],
    [{ kind: 'expired' }, 404, 'NOT_FOUND', 'UNREGISTERED'],
    [{ kind: 'bad-token' }, 400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    [{ kind: 'wrong-topic' }, 403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH'],
    [{ kind: 'throttled' }, 429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED'],
  ])('that is %o is answered %i %s with %s', async (behaviour, status, name, errorCode) => {
    const answer = await toFcm(await behaving(behaviour))
    const detail = expect.objectContaining({ errorCode })
    expect(answer.status).toBe(status)
    expect(answer.body).toEqual(
      errorCodes({ code: status, status: name, details: expect.arrayContaining([detail]) }),
    )
  })

  test('that is bad is named by its field', async () => {
    const answer = await toFcm(await behaving({ kind: 'bad-token' }))
    const description = 'The registration token is not a valid FCM registration token'
    expect(answer.body).toEqual({
      error: {
        code: 400,
        message: description,
        status: 'INVALID_ARGUMENT',
        details: [
          {
            '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError',
            errorCode: 'INVALID_ARGUMENT',
          },
          {
            '@type': 'type.googleapis.com/google.rpc.BadRequest',
            fieldViolations: [{ field: 'message.token', description }],
          },
        ],
      },
    })
  })

  test('that has an APNs environment is accepted', async () => {
    const token = await behaving({ kind: 'environment', environment: 'sandbox' })
    expect(await toFcm(token)).toMatchObject({ status: 200 })
  })

  test.each(Object.entries(FCM_ERROR_CODES))(
    'may be answered %s',
    async (reason, { status, code, message }) => {
      const answer = await toFcm(await behaving({ kind: 'status', status, reason }))
      const type = 'type.googleapis.com/google.firebase.fcm.v1.FcmError'
      expect(answer.status).toBe(status)
      expect(answer.body).toEqual({
        error: {
          code: status,
          message,
          status: code,
          details: [{ '@type': type, errorCode: reason }],
        },
      })
    },
  )

  test.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND'],
    [502, 'BAD_GATEWAY'],
  ])('may be answered %i %s by the front end, without FcmError', async (status, reason) => {
    const answer = await toFcm(await behaving({ kind: 'status', status, reason }))
    expect(answer.body).toEqual({
      error: {
        code: status,
        message: `The simulator was told to answer ${reason}.`,
        status: reason,
      },
    })
  })
})

describe('on both providers a token', () => {
  const providers: [string, (token: string) => ReturnType<typeof toFcm>][] = [
    ['APNs', (token) => push(simulator, apns, token)],
    ['FCM', toFcm],
  ]

  test.each(providers)('may be throttled with a time (%s)', async (_, send) => {
    const answer = await send(await behaving({ kind: 'throttled', retry_after_s: 7 }))
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '7' } })
  })

  test.each(providers)('may be slow, and is recorded at once (%s)', async (_, send) => {
    const token = await behaving({ kind: 'slow', delay_ms: 300 })
    const start = performance.now()
    const sent = send(token)
    const recorded = admin(simulator, 'GET', '/received/wait?accepted=1').then(() => 'recorded')
    expect(await Promise.race([sent, recorded])).toBe('recorded')
    expect(await sent).toMatchObject({ status: 200 })
    expect(performance.now() - start).toBeGreaterThanOrEqual(299)
  })

  test.each(providers)('may get no answer, which is not an acceptance (%s)', async (_, send) => {
    const answered = send(await behaving({ kind: 'no-answer' })).then(() => 'answered')
    const waited = new Promise((resolve) => setTimeout(() => resolve('waited'), 100))
    expect(await Promise.race([answered, waited])).toBe('waited')
    const { body } = await admin(simulator, 'GET', '/received/count')
    expect(body).toMatchObject({ requests: 1, accepted: 0 })
  })

  test.each(providers)('may have its stream reset (%s)', async (_, send) => {
    expect(await send(await behaving({ kind: 'reset' }))).toMatchObject({ resetCode: 2 })
    const refused = await send(await behaving({ kind: 'reset', code: 7 }))
    expect(refused).toMatchObject({ status: 0, resetCode: 7 })
    expect(await send(newToken())).toMatchObject({ status: 200 })
  })

  test.each(providers)('behaves so for the first n requests only (%s)', async (_, send) => {
    const token = await behaving({ kind: 'status', status: 503, reason: 'UNAVAILABLE' }, 2)
    const statuses = [await send(token), await send(token), await send(token)]
    expect(statuses.map(({ status }) => status)).toEqual([503, 503, 200])
  })

  test.each(providers)('is active again once its behaviour is deleted (%s)', async (_, send) => {
    const token = await behaving({ kind: 'unregistered' })
    await admin(simulator, 'DELETE', `/tokens/${token}`)
    expect(await send(token)).toMatchObject({ status: 200 })
  })
})

describe('an answer that is lost', () => {
  test('was accepted and recorded, and costs the connection', async () => {
    const token = await behaving({ kind: 'lose-answer' }, 1)
    const own = apnsClient(simulator)
    expect(await push(simulator, own, token)).toMatchObject({ status: 0 })
    expect(own.session.destroyed).toBe(true)
    const { body } = await admin(simulator, 'GET', `/received?token=${token}`)
    expect(body).toMatchObject([{ status: 200, accepted: true, answer_lost: true }])
  })
})
