import type { Behaviour } from '@pushkeep/provider-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Phone, soon, type Workplace } from './workplace.ts'

let work: Workplace
beforeAll(async () => {
  work = await openWorkplace()
  work.start()
})
afterAll(() => work[Symbol.asyncDispose]())

/** Sends to one phone and waits until its provider was asked; the message's id. */
async function sendAndBeRefused(phone: Phone): Promise<string> {
  const id = await work.accept({ to: { person_id: phone.person } })
  await expect.poll(async () => (await work.deliveries(id)).length, soon).toBe(1)
  return id
}

/** Chunks of an app that were leased and handed back, to be sent in half a minute or later. */
async function handedBack(appNo: number): Promise<number> {
  const { rowCount } = await work.database.query(
    `select from chunks where app_no = $1 and provider = 'apns' and state = 'ready'
       and not is_retry and leases > 0 and due_at > now() + interval '30 seconds'`,
    [appNo],
  )
  return rowCount ?? 0
}

async function sendTo(phones: readonly Phone[]) {
  for (const { person } of phones) {
    const id = await work.accept({ to: { person_id: person } })
    expect(await work.done(id)).toMatchObject({ sent: 1 })
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
    const [first, ...later] = await work.addPhones(refused, 11)
    if (!first) throw new Error('there is no phone')
    const androids = await work.addPhones(refused, 3, 'android')
    const others = await work.addPhones(await work.addApp(`${name}, served`), 3)
    await work.behave([first, ...later], behaviour)
    const id = await sendAndBeRefused(first)
    for (const { person } of later) await work.accept({ to: { person_id: person } })
    await expect.poll(() => handedBack(refused), soon).toBe(later.length)
    await sendTo([...androids, ...others])
    expect((await work.report(id)).counts).toMatchObject({ pending: 1 })
    expect(await work.received([first, ...later])).toEqual({ requests: 1, accepted: 0 })
  },
)

test('a throttled token waits for as long as the provider asks, and holds up nobody else', async () => {
  const [throttled, ...others] = await work.addPhones(await work.addApp('throttled'), 4)
  if (!throttled) throw new Error('there is no phone')
  await work.behave([throttled], { kind: 'throttled', retry_after_s: 60 })
  const id = await sendAndBeRefused(throttled)
  const [delivery] = await work.deliveries(id)
  expect(delivery).toMatchObject({ status: 'pending', reason: 'TooManyRequests' })
  expect(Number(delivery?.at) - Date.now()).toBeGreaterThan(50_000)
  await sendTo(others)
  expect(await work.received([throttled])).toEqual({ requests: 1, accepted: 0 })
})
