import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Simulator, startSimulator } from '../src/index.ts'
import {
  accessToken,
  admin,
  apnsClient,
  type Client,
  fcmClient,
  newToken,
  push,
  sendFcm,
  uuid,
} from './client.ts'

let simulator: Simulator
let apns: Client
let fcm: Client
let bearer: string

beforeAll(async () => {
  simulator = await startSimulator()
})

afterAll(async () => {
  await simulator.close()
})

beforeEach(async () => {
  await admin(simulator, 'POST', '/reset')
  apns = apnsClient(simulator)
  fcm = fcmClient(simulator)
  bearer = await accessToken(fcm, simulator.credentials)
})

afterEach(async () => {
  await Promise.all([apns.close(), fcm.close()])
})

const Entries = z.array(z.looseObject({ seq: z.number(), name: z.string().nullable() }))

async function get(path: string, of = simulator): Promise<unknown> {
  const { status, body } = await admin(of, 'GET', path)
  expect(status).toBe(200)
  return body
}

async function loseAnswerTo(token: string): Promise<void> {
  const rule = { behaviour: { kind: 'lose-answer' }, times: 1 }
  await admin(simulator, 'PUT', `/tokens/${token}`, rule)
}

describe('the journal', () => {
  test('has every field of an APNs push', async () => {
    const [token, id] = [newToken(), uuid()]
    const before = Date.now()
    const payload = { aps: { alert: 'Grüße' }, pushkeep_message_id: 'm-1' }
    await push(
      simulator,
      apns,
      token,
      { 'apns-id': id, 'apns-collapse-id': 'c-1' },
      JSON.stringify(payload),
    )
    expect(await get('/received?payload=1')).toEqual([
      {
        seq: 1,
        at: expect.toSatisfy((at) => at >= before && at <= Date.now()),
        provider: 'apns',
        environment: 'production',
        token,
        apns_id: id,
        name: null,
        message_id: 'm-1',
        collapse_id: 'c-1',
        status: 200,
        reason: null,
        accepted: true,
        answer_lost: false,
        topic: simulator.credentials.apns.topic,
        push_type: 'alert',
        connection: expect.any(Number),
        payload,
      },
    ])
  })

  test('has every field of an FCM message', async () => {
    const message = {
      token: 'tökén:1',
      data: { pushkeep_message_id: 'm-2' },
      android: { notification: { tag: 'tag-1' } },
    }
    const { body } = await sendFcm(fcm, bearer, { message })
    const [entry] = Entries.parse(await get('/received?provider=fcm&payload=1'))
    expect(entry).toMatchObject({
      provider: 'fcm',
      environment: null,
      token: 'tökén:1',
      apns_id: null,
      message_id: 'm-2',
      collapse_id: 'tag-1',
      topic: 'pushkeep-simulator',
      payload: { message },
    })
    expect(body).toEqual({ name: `projects/pushkeep-simulator/messages/${entry?.name}` })
  })

  test('leaves the payload out unless it is asked for', async () => {
    await push(simulator, apns)
    expect(Entries.parse(await get('/received'))[0]).not.toHaveProperty('payload')
  })

  test('has what was refused, with its reason', async () => {
    await push(simulator, apns, 'not-hex')
    expect(await get('/received')).toMatchObject([
      { token: 'not-hex', status: 400, reason: 'BadDeviceToken', accepted: false },
    ])
  })

  test('can be filtered and paged', async () => {
    const tokens = [newToken(), newToken(), newToken()]
    const id = uuid()
    const body = JSON.stringify({ aps: {}, pushkeep_message_id: 'm-3' })
    for (const token of tokens) await push(simulator, apns, token)
    await push(simulator, apns, tokens[0], { 'apns-id': id })
    await push(simulator, apns, tokens[1], {}, body)
    await sendFcm(fcm, bearer, { message: { token: 'f', data: { pushkeep_message_id: 'm-3' } } })
    const seqs = async (query: string) =>
      Entries.parse(await get(`/received${query}`)).map(({ seq }) => seq)
    expect(await seqs('')).toEqual([1, 2, 3, 4, 5, 6])
    expect(await seqs('?limit=2&after=3')).toEqual([4, 5])
    expect(await seqs(`?token=${tokens[0]}`)).toEqual([1, 4])
    expect(await seqs(`?apns_id=${id}`)).toEqual([4])
    expect(await seqs('?message_id=m-3')).toEqual([5, 6])
    expect(await seqs('?message_id=m-3&provider=fcm')).toEqual([6])
    expect(await seqs('?provider=fcm')).toEqual([6])
  })
})

describe('the count', () => {
  test('tells requests, accepted ones, tokens and duplicates apart', async () => {
    const [token, id] = [newToken(), uuid()]
    await push(simulator, apns, token, { 'apns-id': id })
    await push(simulator, apns, token, { 'apns-id': id })
    await push(simulator, apns, token, { 'apns-id': uuid() })
    await push(simulator, apns, newToken(), { 'apns-id': id })
    await push(simulator, apns, 'not-hex')
    const expected = { requests: 5, accepted: 4, distinct_tokens: 2, duplicates: 1, dropped: 0 }
    expect(await get('/received/count')).toEqual(expected)
    expect(await get('/received/count?provider=apns')).toEqual(expected)
    expect(await get('/received/count?provider=fcm')).toMatchObject({ requests: 0 })
    expect(await get(`/received/count?token=${token}`)).toEqual({
      ...{ requests: 3, accepted: 3, distinct_tokens: 1, duplicates: 1, dropped: 0 },
    })
  })

  test('takes an answer that was lost for an acceptance, so that its repeat is a duplicate', async () => {
    const [token, id] = [newToken(), uuid()]
    await loseAnswerTo(token)
    await push(simulator, apns, token, { 'apns-id': id })
    const again = apnsClient(simulator)
    await push(simulator, again, token, { 'apns-id': id })
    await again.close()
    expect(await get('/received/count')).toMatchObject({ accepted: 2, duplicates: 1 })
    expect(await get('/received/duplicates')).toEqual([
      {
        ...{ provider: 'apns', token, by: 'apns_id', key: id },
        ...{ accepted: 2, answers_lost: 1, seqs: [1, 2] },
      },
    ])
  })

  test('takes a push without an apns-id for a new one each time', async () => {
    const token = newToken()
    await push(simulator, apns, token)
    await push(simulator, apns, token)
    expect(await get('/received/count')).toMatchObject({ accepted: 2, duplicates: 0 })
  })

  test.each([
    ['message_id', 'm', { data: { pushkeep_message_id: 'm' } }],
    ['message_id', 'm', { android: { data: { pushkeep_message_id: 'm' }, collapse_key: 'c' } }],
    ['collapse_id', 't', { android: { notification: { tag: 't' }, collapse_key: 'c' } }],
    ['collapse_id', 'c', { android: { collapseKey: 'c' } }],
    ['collapse_id', 'a', { apns: { headers: { 'apns-collapse-id': 'a' } } }],
  ])('knows an FCM repeat by its %s', async (by, key, message) => {
    await sendFcm(fcm, bearer, { message: { token: 'f', ...message } })
    await sendFcm(fcm, bearer, { message: { token: 'f', ...message } })
    await sendFcm(fcm, bearer, { message: { token: 'other', ...message } })
    expect(await get('/received/count')).toMatchObject({ accepted: 3, duplicates: 1 })
    expect(await get('/received/duplicates')).toMatchObject([{ token: 'f', by, key, accepted: 2 }])
  })

  test('does not take refused attempts for duplicates', async () => {
    const [token, id] = [newToken(), uuid()]
    const behaviour = { kind: 'status', status: 503, reason: 'ServiceUnavailable' }
    await admin(simulator, 'PUT', `/tokens/${token}`, { behaviour, times: 2 })
    for (let n = 0; n < 3; n++) await push(simulator, apns, token, { 'apns-id': id })
    expect(await get('/received/count')).toMatchObject({ requests: 3, accepted: 1, duplicates: 0 })
    expect(await get('/received/duplicates')).toEqual([])
  })
})

describe('waiting', () => {
  test('ends when as many were accepted', async () => {
    const waiting = get('/received/wait?accepted=2&timeout_ms=5000')
    await push(simulator, apns)
    await push(simulator, apns)
    expect(await waiting).toMatchObject({ reached: true, accepted: 2 })
  })

  test('ends at once where they were already', async () => {
    await push(simulator, apns)
    expect(await get('/received/wait?accepted=1')).toMatchObject({ reached: true })
  })

  test('ends unmet when the time is up', async () => {
    const body = await get('/received/wait?accepted=1&timeout_ms=30&provider=fcm')
    expect(body).toMatchObject({ reached: false, accepted: 0 })
  })
})

test('forgetting makes the journal and the counts begin anew', async () => {
  await push(simulator, apns)
  await admin(simulator, 'DELETE', '/received')
  expect(await get('/received')).toEqual([])
  expect(await get('/received/count')).toMatchObject({ requests: 0, distinct_tokens: 0 })
  await push(simulator, apns)
  expect(await get('/received')).toMatchObject([{ seq: 1 }])
})

test('a bounded journal drops the oldest and says how many', async () => {
  await using small = await startSimulator({ journalLimit: 3 })
  const client = apnsClient(small)
  const tokens = Array.from({ length: 5 }, newToken)
  for (const token of tokens) await push(small, client, token)
  await client.close()
  expect(await get('/received', small)).toMatchObject([3, 4, 5].map((seq) => ({ seq })))
  expect(await get(`/received?token=${tokens[0]}`, small)).toEqual([])
  expect(await get('/received/count', small)).toMatchObject({
    ...{ requests: 5, accepted: 5, distinct_tokens: 5, dropped: 2 },
  })
})

describe('counting without a journal', () => {
  test('still counts exactly, and has no entries to show', async () => {
    await using counting = await startSimulator({ journal: 'count' })
    const client = apnsClient(counting)
    const [token, id] = [newToken(), uuid()]
    for (const each of [token, token, newToken()]) {
      await push(counting, client, each, { 'apns-id': id })
    }
    await client.close()
    expect(await get('/received/count', counting)).toEqual({
      ...{ requests: 3, accepted: 3, distinct_tokens: 2, duplicates: 1, dropped: 0 },
    })
    expect(await get('/received/duplicates', counting)).toEqual([
      {
        ...{ provider: 'apns', token, by: 'apns_id', key: id },
        ...{ accepted: null, answers_lost: null, seqs: [] },
      },
    ])
    expect(await admin(counting, 'GET', '/received')).toMatchObject({ status: 409 })
    expect(await admin(counting, 'GET', '/received/count?token=a')).toMatchObject({ status: 409 })
  })
})
