import type { Behaviour } from '@pushkeep/provider-simulator'
import { createRegistrar, putCredentials } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Phone, soon, type Workplace } from './workplace.ts'

let work: Workplace
beforeAll(async () => {
  work = await openWorkplace()
  work.start({ doubtRule: { people: 20, seconds: 1 } })
})
afterAll(() => work[Symbol.asyncDispose]())

const send = ({ token }: Phone) => work.accept({ to: { token } })

/** Sends to one phone and waits for the end of it: the delivery's status and reason. */
async function deliver(phone: Phone) {
  const id = await send(phone)
  const deadline = Date.now() + soon.timeout
  while ((await work.report(id)).isOpen) {
    if (Date.now() > deadline) throw new Error('the message is still open')
    await new Promise((resolve) => setTimeout(resolve, soon.interval))
  }
  return (await work.deliveries(id)).map(({ status, reason }) => [status, reason])[0]
}

interface Lane {
  paused: boolean
  reason: string | null
  cause: { device_no: number; message_no: string; agreed: number } | null
}

async function laneOf(appNo: number, provider = 'apns'): Promise<Lane | undefined> {
  const { rows } = await work.database.query<Lane>(
    `select paused_at is not null as paused, pause_reason as reason, pause_cause as cause
     from app_providers where app_no = $1 and provider = $2`,
    [appNo, provider],
  )
  return rows[0]
}

async function standing({ token }: Phone) {
  const { rows } = await work.database.query(
    `select last_status, failures, dead_at is null as lives from devices where token = $1`,
    [token],
  )
  return rows[0]
}

const says = (status: number, reason: string): Behaviour => ({ kind: 'status', status, reason })

test.concurrent.each<[string, 'ios' | 'android', Behaviour, string]>([
  ['a token of another app', 'ios', { kind: 'wrong-topic' }, 'DeviceTokenNotForTopic'],
  ['a token of another project', 'android', { kind: 'wrong-topic' }, 'SENDER_ID_MISMATCH'],
  [
    'an iOS token where Firebase has no APNs key',
    'android',
    says(401, 'THIRD_PARTY_AUTH_ERROR'),
    'THIRD_PARTY_AUTH_ERROR',
  ],
  [
    'a key for the other environment',
    'ios',
    says(403, 'BadEnvironmentKeyIdInToken'),
    'BadEnvironmentKeyIdInToken',
  ],
  ['a topic that is not allowed', 'ios', says(400, 'TopicDisallowed'), 'TopicDisallowed'],
  ['a bad topic', 'ios', says(400, 'BadTopic'), 'BadTopic'],
  ['a forbidden push', 'ios', says(403, 'Forbidden'), 'Forbidden'],
  ['an unrelated key', 'ios', says(403, 'UnrelatedKeyIdInToken'), 'UnrelatedKeyIdInToken'],
  ['a 403 of Google’s front end', 'android', says(403, 'whatever'), 'PERMISSION_DENIED'],
  ['a 404 of Google’s front end', 'android', says(404, 'whatever'), 'NOT_FOUND'],
  ['a reason of APNs that is in no document', 'ios', says(400, 'Odd'), 'HTTP 400 Odd'],
])(
  '%s fails its own push three times, is withheld then, and holds up nobody',
  async (name, platform, behaviour, reason) => {
    const appNo = await work.addApp(name)
    const [foreign, ...others] = await work.addPhones(appNo, 5, platform)
    if (!foreign) throw new Error('no phone')
    await work.behave([foreign], behaviour)
    for (const other of others.slice(0, 3)) {
      expect(await deliver(foreign)).toEqual(['failed', reason])
      expect(await standing(foreign)).toMatchObject({ last_status: '', lives: true })
      expect(await deliver(other)).toEqual(['sent', null])
    }
    expect(await deliver(foreign)).toEqual(['suppressed', 'wrong_app'])
    expect(await work.received([foreign])).toMatchObject({ accepted: 0 })
    const provider = platform === 'ios' ? 'apns' : 'fcm'
    expect(await laneOf(appNo, provider)).toMatchObject({ paused: false })
    await createRegistrar(work.database)({
      workspaceNo: work.workspaceNo,
      appNo,
      token: foreign.token,
      platform,
      environment: null,
      personId: foreign.person,
      installationId: null,
      previousToken: null,
      change: { set: {}, remove: [], pushPermission: true },
      lastUsed: null,
      at: null,
    })
    await work.behave([foreign], { kind: 'slow', delay_ms: 1 })
    expect(await deliver(foreign)).toEqual(['sent', null])
  },
)

test('while nothing is accepted no device comes nearer to being withheld', async () => {
  const appNo = await work.addApp('all refused')
  const phones = await work.addPhones(appNo, 3)
  await work.behave(phones, { kind: 'wrong-topic' })
  for (let round = 0; round < 5; round += 1) {
    for (const phone of phones) {
      expect(await deliver(phone)).toEqual(['failed', 'DeviceTokenNotForTopic'])
    }
  }
  for (const phone of phones) expect(await standing(phone)).toMatchObject({ failures: 1 })
  expect(await laneOf(appNo)).toMatchObject({ paused: false })
})

/** Sends to each in turn until the lane is paused; false where it is not after a while. */
async function pauses(appNo: number, phones: readonly Phone[]): Promise<boolean> {
  const deadline = Date.now() + 4000
  while (Date.now() < deadline) {
    for (const phone of phones) {
      if ((await laneOf(appNo))?.paused) return true
      await send(phone)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}

test('twenty people’s devices that agree while nothing is accepted pause the lane, and lose nothing', async () => {
  const appNo = await work.addApp('wrong key')
  const phones = await work.addPhones(appNo, 20)
  await work.behave(phones, { kind: 'wrong-topic' })
  expect(await pauses(appNo, phones)).toBe(true)
  const lane = await laneOf(appNo)
  expect(lane).toMatchObject({ reason: 'DeviceTokenNotForTopic', cause: { agreed: 20 } })
  const named = phones.map(({ deviceNo }) => Number(deviceNo))
  expect(named).toContain(lane?.cause?.device_no)
  for (const phone of phones) {
    expect(await standing(phone)).toEqual({ last_status: '', failures: 0, lives: true })
  }
  // Credentials that are stored anew open the lane.
  const { apns } = work.credentials
  const { teamId, keyId, topic, privateKeyPem: secret } = apns
  const settings = { teamId, keyId, topic }
  await putCredentials(work.database, work.encryptionKey, {
    appNo,
    provider: 'apns',
    settings,
    secret,
  })
  await work.behave(phones, { kind: 'slow', delay_ms: 1 })
  for (const phone of phones.slice(0, 3)) expect(await deliver(phone)).toEqual(['sent', null])
})

test('a device that is withheld while the credentials are wrong is as it was once the lane is paused', async () => {
  const appNo = await work.addApp('withheld in vain')
  const [good, foreign, ...others] = await work.addPhones(appNo, 22)
  if (!good || !foreign) throw new Error('no phones')
  expect(await deliver(foreign)).toEqual(['sent', null])
  await work.behave([foreign, ...others], { kind: 'wrong-topic' })
  for (let strike = 0; strike < 2; strike += 1) {
    expect(await deliver(foreign)).toEqual(['failed', 'DeviceTokenNotForTopic'])
    expect(await deliver(good)).toEqual(['sent', null])
  }
  await work.behave([good], { kind: 'wrong-topic' })
  expect(await deliver(foreign)).toEqual(['failed', 'DeviceTokenNotForTopic'])
  expect(await deliver(foreign)).toEqual(['suppressed', 'wrong_app'])
  expect(await standing(foreign)).toEqual({ last_status: 'suppressed', failures: 3, lives: true })
  expect(await pauses(appNo, [good, ...others])).toBe(true)
  expect(await standing(foreign)).toEqual({ last_status: 'sent', failures: 2, lives: true })
  expect(await standing(good)).toEqual({ last_status: 'sent', failures: 0, lives: true })
})

test.concurrent.each<[string, (appNo: number) => Promise<Phone[]>]>([
  [
    'many devices of one person',
    async (appNo) => {
      const phones = await work.addPhones(appNo, 30)
      await work.database.query(
        `update devices set person_no = (select min(person_no) from devices where app_no = $1)
         where app_no = $1`,
        [appNo],
      )
      return phones.slice(0, 1)
    },
  ],
  [
    'devices of nobody',
    async (appNo) => {
      const phones = await work.addPhones(appNo, 30)
      await work.database.query('update devices set person_no = null where app_no = $1', [appNo])
      return phones
    },
  ],
  ['nineteen people', (appNo) => work.addPhones(appNo, 19)],
])('%s are too few to pause a lane', async (name, add) => {
  const appNo = await work.addApp(name)
  const phones = await add(appNo)
  const { rows: all } = await work.database.query<Phone>(
    `select device_no::text as "deviceNo", token, '' as person from devices where app_no = $1`,
    [appNo],
  )
  await work.behave(all, { kind: 'wrong-topic' })
  expect(await pauses(appNo, phones)).toBe(false)
})

test('one accepted push keeps the lane open, however many are refused', async () => {
  const appNo = await work.addApp('one accepted')
  const phones = await work.addPhones(appNo, 25)
  const [good] = await work.addPhones(appNo, 1)
  if (!good) throw new Error('no phone')
  await work.behave(phones, { kind: 'wrong-topic' })
  const accepted = setInterval(() => void send(good), 200)
  expect(await pauses(appNo, phones)).toBe(false)
  clearInterval(accepted)
})

test('a refused provider token pauses the lane at once, and names the delivery', async () => {
  const appNo = await work.addApp('revoked key')
  const [phone] = await work.addPhones(appNo, 1)
  if (!phone) throw new Error('no phone')
  await work.behave([phone], says(403, 'InvalidProviderToken'))
  await send(phone)
  await expect
    .poll(() => laneOf(appNo), soon)
    .toMatchObject({
      paused: true,
      reason: 'InvalidProviderToken',
      cause: { device_no: Number(phone.deviceNo), agreed: 1 },
    })
})
