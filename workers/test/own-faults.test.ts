import type { Behaviour } from '@pushkeep/provider-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Phone, soon, type Workplace } from './workplace.ts'

type Given = Omit<Parameters<Workplace['accept']>[0], 'to'>

let work: Workplace
beforeAll(async () => {
  work = await openWorkplace()
  work.start({ doubtRule: { people: 3, seconds: 1 } })
})
afterAll(() => work[Symbol.asyncDispose]())

/** Sends to one phone and waits for the end of it: the delivery's status and reason. */
async function deliver({ token }: Phone, given: Given = {}) {
  const id = await work.accept({ to: { token }, ...given })
  const deadline = Date.now() + soon.timeout
  while ((await work.report(id)).isOpen) {
    if (Date.now() > deadline) throw new Error('the message is still open')
    await new Promise((resolve) => setTimeout(resolve, soon.interval))
  }
  return (await work.deliveries(id)).map(({ status, reason }) => [status, reason])[0]
}

async function standing({ token }: Phone) {
  const { rows } = await work.database.query(
    `select last_status, failures, dead_at is null as lives from devices where token = $1`,
    [token],
  )
  return rows[0]
}

async function isPaused(appNo: number): Promise<boolean> {
  const { rowCount } = await work.database.query(
    'select from app_providers where app_no = $1 and paused_at is not null',
    [appNo],
  )
  return rowCount !== 0
}

const refuses = (status: number, reason: string): Behaviour => ({ kind: 'status', status, reason })
const untouched = { last_status: '', failures: 0, lives: true }

test.concurrent.each<[type: string, status: number, reason: string]>([
  ['voip', 400, 'BadTopic'],
  ['liveactivity', 400, 'TopicDisallowed'],
  ['complication', 400, 'DeviceTokenNotForTopic'],
  ['fileprovider', 400, 'MissingTopic'],
  ['location', 403, 'Forbidden'],
  ['pushtotalk', 403, 'BadCertificateEnvironment'],
  ['widgets', 403, 'TopicMismatch'],
  ['controls', 400, 'FeatureNotEnabled'],
  ['shout', 400, 'InvalidPushType'],
])(
  'a message with push type %s that APNs answers with %i %s costs itself alone',
  async (type, code, reason) => {
    const appNo = await work.addApp(type)
    const [bystander, ...phones] = await work.addPhones(appNo, 5)
    if (!bystander) throw new Error('no phone')
    await work.behave(phones, refuses(code, reason))
    const headers = { 'apns-push-type': type }
    // Over more than the time after which many devices that agree would pause the lane.
    const until = Date.now() + 2000
    do {
      for (const phone of phones) {
        const [status, said] = (await deliver(phone, { apns: { headers } })) ?? []
        expect([status, said?.split(' ').at(-1)]).toEqual(['failed', reason])
        expect(await standing(phone)).toEqual(untouched)
      }
    } while (Date.now() < until)
    expect(await isPaused(appNo)).toBe(false)
    expect(await deliver(bystander)).toEqual(['sent', null])
  },
)

test('headers for APNs that FCM passes on cost the message alone', async () => {
  const appNo = await work.addApp('passed on')
  const [bystander, phone] = await work.addPhones(appNo, 2, 'android')
  if (!bystander || !phone) throw new Error('no phones')
  await work.behave([phone], refuses(401, 'THIRD_PARTY_AUTH_ERROR'))
  const fcm = { apns: { headers: { 'apns-push-type': 'voip' } } }
  for (let round = 0; round < 4; round += 1) {
    expect(await deliver(phone, { fcm })).toEqual(['failed', 'THIRD_PARTY_AUTH_ERROR'])
    expect(await standing(phone)).toEqual(untouched)
    expect(await deliver(bystander)).toEqual(['sent', null])
  }
})

const hour = 3_600_000

test.concurrent.each<[string, 'ios' | 'android', Behaviour, Given, outcome: [string, string]]>([
  [
    '429 with a long Retry-After',
    'ios',
    { kind: 'throttled', retry_after_s: 120 },
    { ttl_seconds: 60 },
    ['expired', 'TooManyRequests'],
  ],
  [
    '429 of a call that is not kept',
    'ios',
    { kind: 'throttled' },
    { ttl_seconds: 0 },
    ['expired', 'TooManyRequests'],
  ],
  [
    '429 with a life under the default pause',
    'ios',
    { kind: 'throttled' },
    { ttl_seconds: 55 },
    ['expired', 'TooManyRequests'],
  ],
  [
    '429 of a silent push',
    'ios',
    { kind: 'throttled' },
    { ttl_seconds: 30, content: { data: { a: 1 } } },
    ['expired', 'TooManyRequests'],
  ],
  [
    'the device quota of FCM',
    'android',
    { kind: 'throttled', retry_after_s: 3600 },
    { ttl_seconds: 1800 },
    ['expired', 'QUOTA_EXCEEDED'],
  ],
  [
    'the device quota of FCM without Retry-After',
    'android',
    { kind: 'throttled' },
    { ttl_seconds: 30 },
    ['expired', 'QUOTA_EXCEEDED'],
  ],
  [
    'a 410 of an hour before',
    'ios',
    { kind: 'unregistered', since: Date.now() - hour },
    {},
    ['failed', 'Unregistered'],
  ],
  [
    'a 410 of a day before',
    'ios',
    { kind: 'expired', since: Date.now() - 24 * hour },
    {},
    ['failed', 'ExpiredToken'],
  ],
  [
    'a 410 of a silent push',
    'ios',
    { kind: 'unregistered', since: Date.now() - hour },
    { content: { data: { a: 1 } } },
    ['failed', 'Unregistered'],
  ],
])(
  '%s leaves the device as it was, however often',
  async (name, platform, behaviour, given, outcome) => {
    const appNo = await work.addApp(name)
    const [fresh, known] = await work.addPhones(appNo, 2, platform)
    if (!fresh || !known) throw new Error('no phones')
    expect(await deliver(known)).toEqual(['sent', null])
    await work.behave([fresh, known], behaviour)
    for (let round = 0; round < 4; round += 1) {
      for (const phone of [fresh, known]) expect(await deliver(phone, given)).toEqual(outcome)
      expect(await standing(fresh)).toEqual(untouched)
      expect(await standing(known)).toEqual({ ...untouched, last_status: 'sent' })
    }
    await work.behave([fresh, known], { kind: 'slow', delay_ms: 1 })
    for (const phone of [fresh, known]) expect(await deliver(phone)).toEqual(['sent', null])
  },
)
