import { type ApnsPushTypeName, apnsPushTypeNames } from '@pushkeep/domain'
import type { Behaviour } from '@pushkeep/provider-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Phone, type Workplace } from './workplace.ts'

let work: Workplace
beforeAll(async () => {
  work = await openWorkplace()
  work.start()
})
afterAll(() => work[Symbol.asyncDispose]())

/** Sends a push of a type and waits for its end: the delivery's status and reason. */
async function deliver({ person }: Phone, type?: ApnsPushTypeName) {
  const id = await work.accept({
    to: { person_id: person },
    content: type === 'background' ? { data: { a: 1 } } : { title: 'Hello' },
    ...(type && { apns: { headers: { 'apns-push-type': type } } }),
  })
  await work.done(id)
  return (await work.deliveries(id)).map(({ status, reason }) => [status, reason])[0]
}

async function twoPhones(name: string): Promise<{ appNo: number; one: Phone; other: Phone }> {
  const appNo = await work.addApp(name)
  const [one, other] = await work.addPhones(appNo, 2)
  if (!one || !other) throw new Error('no phones')
  return { appNo, one, other }
}

test.each(apnsPushTypeNames)('a %s push goes out with the topic that APNs wants', async (type) => {
  const { one } = await twoPhones(`sends ${type}`)
  expect(await deliver(one, type)).toEqual(['sent', null])
})

const refusals: [ApnsPushTypeName, number, string][] = [
  ['voip', 400, 'BadTopic'],
  ['liveactivity', 400, 'TopicDisallowed'],
  ['complication', 400, 'MissingTopic'],
  ['fileprovider', 400, 'InvalidPushType'],
  ['location', 400, 'DeviceTokenNotForTopic'],
  ['widgets', 400, 'BadPriority'],
  ['pushtotalk', 400, 'BadExpirationDate'],
  ['controls', 400, 'BadDeviceToken'],
  ['liveactivity', 400, 'BadDeviceToken'],
  ['mdm', 400, 'BadDeviceToken'],
  ['voip', 413, 'PayloadTooLarge'],
]

test.each(refusals)(
  'a %s push that is refused with %i %s costs neither its token nor the lane',
  async (type, status, reason) => {
    const { appNo, one, other } = await twoPhones(`${type} ${reason}`)
    const behaviour: Behaviour = { kind: 'status', status, reason }
    await work.behave([one], behaviour)
    for (let round = 0; round < 4; round += 1) {
      expect(await deliver(one, type)).toEqual(['failed', reason])
      expect(await deliver(other)).toEqual(['sent', null])
    }
    const { rows } = await work.database.query(
      `select d.last_status, d.failures, d.dead_at is null as lives, ap.paused_at is null as runs
       from devices d join app_providers ap on ap.app_no = d.app_no and ap.provider = 'apns'
       where d.app_no = $1 and d.token = $2`,
      [appNo, one.token],
    )
    expect(rows).toEqual([{ last_status: '', failures: 0, lives: true, runs: true }])
  },
)

test('an ordinary push that APNs knows no token for still ends the token', async () => {
  const { one } = await twoPhones('dead')
  await work.behave([one], { kind: 'status', status: 400, reason: 'BadDeviceToken' })
  expect(await deliver(one, 'alert')).toEqual(['bounced', 'BadDeviceToken'])
})
