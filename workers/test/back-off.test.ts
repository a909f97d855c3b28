import type { Behaviour } from '@pushkeep/provider-simulator'
import { openLane } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Phone, soon, type Workplace } from './workplace.ts'

let work: Workplace
beforeAll(async () => {
  work = await openWorkplace()
  work.start()
})
afterAll(() => work[Symbol.asyncDispose]())

const send = ({ person }: Phone) => work.accept({ to: { person_id: person } })

/** Sends to one phone and waits until its provider was asked; the message's id. */
async function sendAndBeRefused(phone: Phone): Promise<string> {
  const id = await send(phone)
  await expect.poll(async () => (await work.deliveries(id)).length, soon).toBe(1)
  return id
}

/** Chunks of an app that were leased and handed back unsent, to be sent in half a minute or later. */
async function handedBack(appNo: number): Promise<number> {
  const { rowCount } = await work.database.query(
    `select from chunks where app_no = $1 and provider = 'apns' and state = 'ready'
       and not is_retry and leases > 0 and due_at > now() + interval '30 seconds'`,
    [appNo],
  )
  return rowCount ?? 0
}

async function sendTo(phones: readonly Phone[]) {
  for (const phone of phones) {
    expect(await work.done(await send(phone))).toMatchObject({ sent: 1 })
  }
}

const refusals: [string, Behaviour][] = [
  [
    'a provider out of order',
    { kind: 'status', status: 503, reason: 'ServiceUnavailable', retry_after_s: 60 },
  ],
  [
    'too many provider tokens',
    { kind: 'status', status: 429, reason: 'TooManyProviderTokenUpdates', retry_after_s: 60 },
  ],
]

test.each(refusals)(
  '%s is left alone by that app for as long as it asks; its other provider and other apps go on',
  async (name, behaviour) => {
    const refused = await work.addApp(`${name}, refused`)
    const phones = await work.addPhones(refused, 30)
    const [first, later] = [phones.slice(0, 20), phones.slice(20)]
    const androids = await work.addPhones(refused, 3, 'android')
    const others = await work.addPhones(await work.addApp(`${name}, served`), 3)
    await work.behave(phones, behaviour)
    await Promise.all(first.map(sendAndBeRefused))
    for (const phone of later) await send(phone)
    await expect.poll(() => handedBack(refused), soon).toBe(later.length)
    await sendTo([...androids, ...others])
    expect(await work.received(phones)).toEqual({ requests: first.length, accepted: 0 })
  },
)

test('an operator who resumes the lane closes the breaker: what waited for it is sent', async () => {
  const appNo = await work.addApp('resumed')
  const phones = await work.addPhones(appNo, 25)
  const [first, later] = [phones.slice(0, 20), phones.slice(20)]
  await work.behave(first, { kind: 'status', status: 503, reason: 'Shutdown', retry_after_s: 600 })
  await Promise.all(first.map(sendAndBeRefused))
  const ids = await Promise.all(later.map(send))
  await expect.poll(() => handedBack(appNo), soon).toBe(later.length)
  await openLane(work.database, appNo, 'apns')
  for (const id of ids) expect(await work.done(id)).toMatchObject({ sent: 1 })
})

/** One token of `ios` or `android` that is refused, and what its provider answers. */
const oneRefused: [string, 'ios' | 'android', Behaviour][] = [
  ['a 500', 'ios', { kind: 'status', status: 500, reason: 'InternalServerError' }],
  [
    'a 503 that asks for ten minutes',
    'ios',
    { kind: 'status', status: 503, reason: 'ServiceUnavailable', retry_after_s: 600 },
  ],
  [
    'a 429 of the credentials',
    'ios',
    { kind: 'status', status: 429, reason: 'TooManyProviderTokenUpdates', retry_after_s: 600 },
  ],
  ['a 429 of the device', 'ios', { kind: 'throttled', retry_after_s: 60 }],
  ['a status that nobody has documented', 'ios', { kind: 'status', status: 599, reason: 'Odd' }],
  ['a 502 of a gateway before APNs', 'ios', { kind: 'status', status: 502, reason: 'BadGateway' }],
  ['a 500 of FCM', 'android', { kind: 'status', status: 500, reason: 'INTERNAL' }],
  [
    'a 503 of FCM that asks for an hour',
    'android',
    { kind: 'status', status: 503, reason: 'UNAVAILABLE', retry_after_s: 3600 },
  ],
  [
    'a 429 of FCM without a quota',
    'android',
    { kind: 'status', status: 429, reason: 'QUOTA_EXCEEDED', retry_after_s: 600 },
  ],
  ['the device quota of FCM', 'android', { kind: 'throttled', retry_after_s: 600 }],
]

test.each(oneRefused)(
  '%s (%s) for one token makes its push wait, and holds up nobody else',
  async (name, platform, behaviour) => {
    const [poisoned, ...others] = await work.addPhones(await work.addApp(name), 4, platform)
    if (!poisoned) throw new Error('there is no phone')
    await work.behave([poisoned], behaviour)
    const ids = [await sendAndBeRefused(poisoned)]
    for (let n = 0; n < 4; n += 1) ids.push(await send(poisoned))
    await sendTo(others)
    for (const id of ids) expect((await work.report(id)).counts).toMatchObject({ pending: 1 })
    expect(await work.received([poisoned])).toMatchObject({ accepted: 0 })
  },
)

test('a throttled token waits for as long as the provider asks', async () => {
  const [throttled] = await work.addPhones(await work.addApp('throttled'), 1)
  if (!throttled) throw new Error('there is no phone')
  await work.behave([throttled], { kind: 'throttled', retry_after_s: 60 })
  const id = await sendAndBeRefused(throttled)
  const [delivery] = await work.deliveries(id)
  expect(delivery).toMatchObject({ status: 'pending', reason: 'TooManyRequests' })
  expect(Number(delivery?.at) - Date.now()).toBeGreaterThan(50_000)
})

test('a message whose pushes are refused is held back alone, and told', async () => {
  const appNo = await work.addApp('poisoned message')
  const phones = await work.addPhones(appNo, 150)
  const others = await work.addPhones(appNo, 3)
  await work.behave(phones, { kind: 'status', status: 500, reason: 'InternalServerError' })
  const id = await work.accept({ to: { person_ids: phones.map(({ person }) => person) } }, 'bulk')
  const held = async () => {
    const { rows } = await work.database.query<{ messageId: string }>(
      `select distinct b ->> 'messageId' as "messageId"
       from worker_reports cross join jsonb_array_elements(breakers) b
       where (b ->> 'appNo')::int = $1`,
      [appNo],
    )
    return rows
  }
  await expect.poll(held, soon).toEqual([{ messageId: id }])
  await sendTo(others)
})
