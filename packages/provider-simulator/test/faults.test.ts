import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FaultsPatch, type Simulator, startSimulator } from '../src/index.ts'
import {
  type Answer,
  accessToken,
  admin,
  apnsClient,
  Client,
  fcmClient,
  newToken,
  push,
  sendFcm,
  until,
} from './client.ts'

let simulator: Simulator
let client: Client
const opened: Client[] = []

beforeAll(async () => {
  simulator = await startSimulator()
})

afterAll(async () => {
  await simulator.close()
})

beforeEach(async () => {
  await admin(simulator, 'POST', '/reset')
  client = await warmClient()
})

afterEach(async () => {
  await admin(simulator, 'DELETE', '/faults')
  await Promise.all(opened.splice(0).map((each) => each.close()))
})

/** A connection that has all its streams, and a journal that knows nothing of it. */
async function warmClient(): Promise<Client> {
  const warm = apnsClient(simulator)
  opened.push(warm)
  await push(simulator, warm)
  await until(() => warm.maxStreams === 1000)
  await admin(simulator, 'DELETE', '/received')
  return warm
}

async function fault(patch: FaultsPatch): Promise<void> {
  expect(await admin(simulator, 'PUT', '/faults', patch)).toMatchObject({ status: 200 })
}

async function slowToken(delayMs: number): Promise<string> {
  const token = newToken()
  const behaviour = { kind: 'slow', delay_ms: delayMs }
  await admin(simulator, 'PUT', `/tokens/${token}`, { behaviour })
  return token
}

function burst(size: number, via = client): Promise<Answer[]> {
  return Promise.all(Array.from({ length: size }, () => push(simulator, via)))
}

async function count(): Promise<unknown> {
  return (await admin(simulator, 'GET', '/received/count')).body
}

function accepted(answers: Answer[]): number {
  return answers.filter(({ status }) => status === 200).length
}

/** Streams that the client knows were not processed. */
function unprocessed(answers: Answer[]): number {
  return answers.filter(({ status, resetCode }) => status === 0 && resetCode === 7).length
}

describe('a delay', () => {
  test('holds every answer of its provider back, and no other', async () => {
    await fault({ apns: { delay_ms: 300 } })
    const fcm = fcmClient(simulator)
    opened.push(fcm)
    const bearer = await accessToken(fcm, simulator.credentials)
    const start = performance.now()
    const apnsAnswered = burst(3).then(() => 'apns')
    const fcmAnswered = sendFcm(fcm, bearer, { message: { token: 't' } }).then(() => 'fcm')
    expect(await Promise.race([apnsAnswered, fcmAnswered])).toBe('fcm')
    await apnsAnswered
    expect(performance.now() - start).toBeGreaterThanOrEqual(299)
  })
})

describe('a GOAWAY every n requests', () => {
  test('lets n be answered and declares all later ones unprocessed', async () => {
    await fault({ apns: { goaway_every: 4 } })
    const answers = await burst(10)
    expect([accepted(answers), unprocessed(answers)]).toEqual([4, 6])
    expect(await count()).toMatchObject({ requests: 4, accepted: 4 })
    // Stream 1 warmed the connection up; 3, 5, 7 and 9 were processed.
    const payload = '{"reason":"Shutdown"}'
    expect(client.goaways[0]).toEqual({ code: 0, lastStreamId: 9, payload })
    expect(client.goaways.every(({ lastStreamId }) => lastStreamId === 9)).toBe(true)
  })

  test('lets slow answers finish before the connection ends', async () => {
    await fault({ apns: { goaway_every: 2 } })
    const slow = push(simulator, client, await slowToken(100))
    const fast = push(simulator, client)
    expect(await fast).toMatchObject({ status: 200 })
    await until(() => client.goaways.length > 0)
    expect(await slow).toMatchObject({ status: 200 })
    await until(() => client.session.destroyed)
    expect(client.errors).toEqual([])
  })

  test('counts on each connection by itself', async () => {
    await fault({ apns: { goaway_every: 3 } })
    const other = await warmClient()
    expect(accepted(await burst(2))).toBe(2)
    expect(accepted(await burst(2, other))).toBe(2)
    expect(client.goaways).toEqual([])
  })

  test('can hold its last requests back as unprocessed', async () => {
    await fault({ apns: { goaway_every: 6, goaway_unprocessed: 2 } })
    const answers = await burst(6)
    expect([accepted(answers), unprocessed(answers)]).toEqual([4, 2])
    expect(await count()).toMatchObject({ requests: 4 })
    expect(client.goaways[0]).toMatchObject({ lastStreamId: 9 })
  })

  test('does not wait for requests that never come', async () => {
    await fault({ apns: { goaway_every: 6, goaway_unprocessed: 2 } })
    const answers = await burst(5)
    expect([accepted(answers), unprocessed(answers)]).toEqual([4, 1])
  })

  test('works on FCM too', async () => {
    const fcm = fcmClient(simulator)
    opened.push(fcm)
    const bearer = await accessToken(fcm, simulator.credentials)
    await fault({ fcm: { goaway_every: 3 } })
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => sendFcm(fcm, bearer, { message: { token: newToken() } })),
    )
    expect([accepted(answers), unprocessed(answers)]).toEqual([3, 2])
    expect(fcm.goaways[0]).toMatchObject({ code: 0, lastStreamId: 7, payload: '' })
  })
})

describe('a GOAWAY on demand', () => {
  test('goes to every connection of the provider', async () => {
    const other = await warmClient()
    const { body } = await admin(simulator, 'POST', '/goaway', { provider: 'apns' })
    expect(body).toEqual({ sessions: 2 })
    await until(() => client.session.destroyed && other.session.destroyed)
    expect(client.goaways[0]).toMatchObject({ code: 0, lastStreamId: 1 })
    const { body: counters } = await admin(simulator, 'GET', '/counters')
    expect(counters).toMatchObject({ apns: { goaways_sent: 2 } })
  })
})

describe('silence', () => {
  test('answers nothing, not even a PING, and receives nothing', async () => {
    expect(await client.ping(1000)).toBe(true)
    await fault({ apns: { silent: true } })
    const answered = push(simulator, client)
    expect(await client.ping(150)).toBe(false)
    expect(client.session.destroyed).toBe(false)
    expect(await count()).toMatchObject({ requests: 0 })
    await fault({ apns: { silent: false } })
    expect(await answered).toMatchObject({ status: 0 })
    await until(() => client.session.destroyed)
    expect(await count()).toMatchObject({ requests: 0 })
  })

  test('swallows answers that were still to come', async () => {
    const answered = push(simulator, client, await slowToken(100))
    await admin(simulator, 'GET', '/received/wait?accepted=1')
    await fault({ apns: { silent: true } })
    const waited = new Promise((resolve) => setTimeout(() => resolve('waited'), 200))
    expect(await Promise.race([answered, waited])).toBe('waited')
  })

  test('lets a new connection hang, and a later one in', async () => {
    await fault({ apns: { silent: true } })
    const hanging = apnsClient(simulator)
    opened.push(hanging)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(hanging.session.connecting).toBe(true)
    await admin(simulator, 'DELETE', '/faults')
    const later = await warmClient()
    expect(accepted(await burst(3, later))).toBe(3)
  })

  test('of one provider leaves the other alone', async () => {
    await fault({ fcm: { silent: true } })
    expect(accepted(await burst(3))).toBe(3)
  })
})

describe('refusal', () => {
  test('ends connections, lets none in, and is over when it is lifted', async () => {
    await fault({ apns: { refuse: true } })
    await until(() => client.session.destroyed)
    const refused = apnsClient(simulator)
    await until(() => refused.session.destroyed)
    expect(refused.errors.length).toBeGreaterThan(0)
    await fault({ apns: { refuse: false } })
    expect(accepted(await burst(1, await warmClient()))).toBe(1)
  })
})

describe('an untrusted certificate', () => {
  test('ends connections, and is what new ones meet until it is over', async () => {
    await fault({ apns: { untrusted: true } })
    await until(() => client.session.destroyed)
    const refused = apnsClient(simulator)
    await until(() => refused.session.destroyed)
    expect(String(refused.errors)).toContain('certificate')
    await fault({ apns: { untrusted: false } })
    expect(accepted(await burst(1, await warmClient()))).toBe(1)
  })
})

describe('a status', () => {
  test('can be the answer to everything', async () => {
    const status = { status: 503, reason: 'ServiceUnavailable', retry_after_s: 3, share: 1 }
    await fault({ apns: { status } })
    const [answer] = await burst(1)
    expect(answer).toMatchObject({
      status: 503,
      body: { reason: 'ServiceUnavailable' },
      headers: { 'retry-after': '3' },
    })
  })

  test('can be the answer to a random share, the same in each run', async () => {
    const status = { status: 500, reason: 'InternalServerError', share: 0.3 }
    const run = async () => {
      await fault({ apns: { status } })
      const statuses = []
      for (let n = 0; n < 60; n++) statuses.push((await push(simulator, client)).status)
      return statuses
    }
    const first = await run()
    expect(await run()).toEqual(first)
    const failed = first.filter((each) => each === 500).length
    expect(failed).toBeGreaterThan(8)
    expect(failed).toBeLessThan(30)
  })
})

describe('refused streams', () => {
  test('are reset unprocessed, as many as were asked for', async () => {
    await fault({ apns: { refuse_streams: 3 } })
    const answers = await burst(5)
    expect([accepted(answers), unprocessed(answers)]).toEqual([2, 3])
    expect(await count()).toMatchObject({ requests: 2 })
    const { body } = await admin(simulator, 'GET', '/faults')
    expect(body).toMatchObject({ apns: { refuse_streams: 0 } })
  })
})

describe('the stream limit', () => {
  test('changes on live connections, and back', async () => {
    await fault({ apns: { max_concurrent_streams: 7 } })
    await until(() => client.maxStreams === 7)
    await fault({ apns: { max_concurrent_streams: null } })
    await until(() => client.maxStreams === 1000)
  })

  test('is the configured one of each provider', async () => {
    await using small = await startSimulator({
      maxConcurrentStreams: 5,
      fcmMaxConcurrentStreams: 3,
    })
    const [apns, fcm] = [
      new Client(small.urls.apnsProduction, small.caPem),
      new Client(small.urls.fcm, small.caPem),
    ]
    opened.push(apns, fcm)
    await push(small, apns)
    await until(() => apns.maxStreams === 5 && fcm.maxStreams === 3)
  })
})

describe('a limit on one token', () => {
  test('ends in 429 TooManyRequests for that token', async () => {
    await fault({ apns: { token_limit: { requests: 2, window_s: 60 } } })
    const token = newToken()
    const answers = [
      await push(simulator, client, token),
      await push(simulator, client, token),
      await push(simulator, client, token),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(answers[2]).toMatchObject({ body: { reason: 'TooManyRequests' } })
    expect(accepted(await burst(1))).toBe(1)
  })
})
