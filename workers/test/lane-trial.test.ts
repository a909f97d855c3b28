import { type LaneResumed, resumedWords } from '@pushkeep/domain'
import type { Behaviour } from '@pushkeep/provider-simulator'
import { pauseProvider, providersOf, resumeLane } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Phone, soon, type Workplace } from './workplace.ts'

let work: Workplace
beforeAll(async () => {
  work = await openWorkplace()
  work.start()
  while ((await reports()) === 0) await new Promise((resolve) => setTimeout(resolve, 50))
})
afterAll(() => work[Symbol.asyncDispose]())

async function reports(): Promise<number> {
  const { rows } = await work.database.query('select worker from worker_reports')
  return rows.length
}

const send = ({ person }: Phone) => work.accept({ to: { person_id: person } })
const refused: Behaviour = { kind: 'status', status: 403, reason: 'InvalidProviderToken' }
const taken: Behaviour = { kind: 'slow', delay_ms: 1 }

const resume = async (appNo: number): Promise<LaneResumed> => {
  const options = { appNo, provider: 'apns', bounces: 'keep', waitMs: 15_000 } as const
  const resumed = await resumeLane(work.database, { ...options, note: async () => {} })
  if (!resumed) throw new Error('there is no such provider')
  return resumed
}

async function laneOf(appNo: number) {
  const lane = (await providersOf(work.database, appNo)).find(({ provider }) => provider === 'apns')
  return { isPaused: lane?.pausedAt != null, cause: lane?.pauseCause ?? null }
}

/** An app whose lane the first phone's push has paused, with one message waiting for each phone. */
async function pausedApp(name: string, count: number) {
  const appNo = await work.addApp(name)
  const phones = await work.addPhones(appNo, count)
  await work.behave(phones, refused)
  const [first, ...others] = phones
  if (!first) throw new Error('no phone')
  const ids = [await send(first)]
  await expect.poll(() => laneOf(appNo), soon).toMatchObject({ isPaused: true })
  for (const phone of others) ids.push(await send(phone))
  return { appNo, first, others, phones, ids }
}

test('one accepted push opens the lane, and what waited is sent', async () => {
  const { appNo, first, phones, ids } = await pausedApp('mended', 5)
  expect((await laneOf(appNo)).cause).toEqual({
    messageId: ids[0],
    deviceNo: Number(first.deviceNo),
    personId: first.person,
    agreed: 1,
  })
  await work.behave(phones, taken)
  expect(await resume(appNo)).toMatchObject({ kind: 'open', tried: [{ accepted: true }] })
  for (const id of ids) expect(await work.done(id)).toMatchObject({ sent: 1 })
  expect(await laneOf(appNo)).toEqual({ isPaused: false, cause: null })
})

test('three refused pushes of different people keep it paused, and the answer says why', async () => {
  const { appNo, first, phones, ids } = await pausedApp('still wrong', 8)
  const before = await work.received(phones)
  const resumed = await resume(appNo)
  if (resumed.kind !== 'paused') throw new Error(resumed.kind)
  expect(resumed.tried).toHaveLength(3)
  expect(new Set(resumed.tried.map(({ deviceNo }) => deviceNo)).size).toBe(3)
  expect(resumed.tried.map(({ reason }) => reason)).toEqual(Array(3).fill('InvalidProviderToken'))
  expect(resumed.tried.map(({ deviceNo }) => deviceNo)).not.toContain(Number(first.deviceNo))
  expect(resumedWords(resumed)).toContain('InvalidProviderToken')
  expect((await work.received(phones)).requests).toBe(before.requests + 3)
  expect(await laneOf(appNo)).toMatchObject({ isPaused: true })
  for (const id of ids) expect(await work.report(id)).toMatchObject({ counts: { pending: 1 } })
})

test('the delivery that paused the lane is not tried first, and does not pause it again by that', async () => {
  const { appNo, first, others, ids } = await pausedApp('one bad push', 4)
  await work.behave(others, taken)
  const resumed = await resume(appNo)
  expect(resumed).toMatchObject({ kind: 'open', tried: [{ accepted: true }] })
  if (resumed.kind !== 'open') throw new Error(resumed.kind)
  expect(resumed.tried[0]?.deviceNo).not.toBe(Number(first.deviceNo))
  for (const id of ids.slice(1)) expect(await work.done(id)).toMatchObject({ sent: 1 })
})

test('where nothing else waits it is tried, and refused the lane stays paused', async () => {
  const { appNo, first } = await pausedApp('alone', 1)
  expect(await resume(appNo)).toMatchObject({
    kind: 'paused',
    tried: [{ deviceNo: Number(first.deviceNo), accepted: false }],
  })
  await work.behave([first], taken)
  expect(await resume(appNo)).toMatchObject({ kind: 'open' })
})

test('where nothing waits the lane goes on: the next delivery decides', async () => {
  const appNo = await work.addApp('nothing waits')
  await pauseProvider(work.database, appNo, 'apns', 'by hand')
  expect(await resume(appNo)).toEqual({ kind: 'open', restored: 0, tried: [] })
  expect(await laneOf(appNo)).toMatchObject({ isPaused: false })
})

test('of a broadcast one recipient is tried, and the others stay untouched', async () => {
  const appNo = await work.addApp('broadcast')
  const phones = await work.addPhones(appNo, 50)
  await work.behave(phones, refused)
  await pauseProvider(work.database, appNo, 'apns', 'InvalidProviderToken')
  const id = await work.accept({ to: { person_ids: phones.map(({ person }) => person) } }, 'bulk')
  await expect.poll(async () => (await work.report(id)).counts.recipients, soon).toBe(50)
  const chunks = async () =>
    (
      await work.database.query(
        `select from chunks where app_no = $1 and state = 'ready' and due_at <= now()`,
        [appNo],
      )
    ).rowCount
  await expect.poll(chunks, soon).toBeGreaterThan(0)
  expect(await resume(appNo)).toMatchObject({ kind: 'paused' })
  expect((await work.received(phones)).requests).toBe(1)
  await work.behave(phones, taken)
  await expect.poll(() => resume(appNo), soon).toMatchObject({ kind: 'open' })
  expect(await work.done(id)).toMatchObject({ sent: 50 })
})

test('withheld recipients are no trial: the next person is', async () => {
  const { appNo, phones } = await pausedApp('withheld', 6)
  await work.behave(phones, taken)
  const [, second, third] = phones
  await work.database.query('update devices set push_permission = false where token = any($1)', [
    [second?.token, third?.token],
  ])
  expect(await resume(appNo)).toMatchObject({ kind: 'open', tried: [{ accepted: true }] })
})

test('a lane that is not paused is not tried', async () => {
  const appNo = await work.addApp('open')
  const [phone] = await work.addPhones(appNo, 1)
  if (!phone) throw new Error('no phone')
  expect(await resume(appNo)).toEqual({ kind: 'open', restored: 0, tried: [] })
  expect(await work.done(await send(phone))).toMatchObject({ sent: 1 })
})
