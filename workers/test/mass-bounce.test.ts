import { decideBounces, findDevice } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Phone, soon, type Workplace } from './workplace.ts'

let work: Workplace
beforeAll(async () => {
  work = await openWorkplace()
  work.start()
})
afterAll(() => work[Symbol.asyncDispose]())

const everyone = (phones: readonly Phone[]) => ({
  person_ids: [...new Set(phones.map(({ person }) => person))],
})

/** Phones of people each, whose tokens were accepted before. */
async function acceptedPhones(appNo: number, count: number): Promise<Phone[]> {
  const phones = await work.addPhones(appNo, count)
  await work.database.query('update devices set was_accepted = true where app_no = $1', [appNo])
  return phones
}

const send = async (phones: readonly Phone[], lane: 'transactional' | 'bulk' = 'bulk') =>
  work.done(await work.accept({ to: everyone(phones) }, lane))

async function guardOf(appNo: number) {
  const { rows } = await work.database.query<{ reason: string | null; isPaused: boolean }>(
    `select guard_reason as reason, paused_at is not null as "isPaused"
     from app_providers where app_no = $1 and provider = 'apns'`,
    [appNo],
  )
  return rows[0]
}

async function deadOf(appNo: number): Promise<number> {
  const { rowCount } = await work.database.query(
    'select from devices where app_no = $1 and dead_at is not null',
    [appNo],
  )
  return rowCount ?? 0
}

const decide = (appNo: number, decision: 'keep' | 'undo', from: number | null, to: number | null) =>
  decideBounces(work.database, { appNo, provider: 'apns', decision, from, to })

/** A time in ms that is after all that has happened, and before all that will. */
async function momentBetween(): Promise<number> {
  const moment = Date.now() + 1
  await expect.poll(() => Date.now(), { ...soon, interval: 1 }).toBeGreaterThan(moment)
  return moment
}

const gone = { kind: 'unregistered' } as const
const taken = { kind: 'slow', delay_ms: 1 } as const

test('many people’s tokens dead at once: none is retired any more, pushes go on, undo brings all back', async () => {
  const appNo = await work.addApp('shop')
  const phones = await acceptedPhones(appNo, 1600)
  const [dead, well] = [phones.slice(0, 1500), phones.slice(1500)]
  await work.behave(dead, gone)
  expect(await send(dead)).toMatchObject({ bounced: 1500, pending: 0 })
  expect((await guardOf(appNo))?.reason).toMatch(/^mass bounce: tokens of 100 % of \d+ people/)
  const retired = await deadOf(appNo)
  expect(retired).toBeGreaterThan(0)
  expect(retired).toBeLessThan(1500)
  expect(await send(well)).toMatchObject({ sent: 100 })
  expect(await guardOf(appNo)).toMatchObject({ isPaused: false })
  await work.behave(dead, taken)
  expect(await decide(appNo, 'undo', null, null)).toEqual({ restored: retired })
  expect(await deadOf(appNo)).toBe(0)
  expect(await guardOf(appNo)).toMatchObject({ reason: null })
  expect(await send(dead.slice(0, 50))).toMatchObject({ sent: 50 })
  expect(await guardOf(appNo)).toMatchObject({ reason: null })
}, 60_000)

test('twenty of twenty trip the guard of a small app', async () => {
  const appNo = await work.addApp('small')
  const all = await acceptedPhones(appNo, 25)
  const [phones, later] = [all.slice(0, 20), all.slice(20)]
  await work.behave(all, gone)
  for (const phone of phones) await send([phone], 'transactional')
  await expect.poll(async () => (await guardOf(appNo))?.reason, soon).toContain('100 % of 20')
  expect(await send(later)).toMatchObject({ bounced: 5 })
  expect(await deadOf(appNo)).toBe(20)
  expect(await decide(appNo, 'undo', null, null)).toEqual({ restored: 20 })
})

test('thirty pushes to one test phone do not hide that all others are dead', async () => {
  const appNo = await work.addApp('test phone')
  const [tester, ...others] = await acceptedPhones(appNo, 21)
  if (!tester) throw new Error('no phone')
  await work.behave(others, gone)
  await Promise.all(Array.from({ length: 30 }, () => send([tester], 'transactional')))
  expect(await send(others)).toMatchObject({ bounced: 20 })
  await expect.poll(async () => (await guardOf(appNo))?.reason, soon).toContain('95 % of 21 people')
})

test('one person with thirty phones that work is one', async () => {
  const appNo = await work.addApp('many phones')
  const phones = await acceptedPhones(appNo, 50)
  const others = phones.slice(30)
  await work.database.query(
    `update devices set person_no = (select person_no from people where id = $2)
     where device_no = any($1::bigint[])`,
    [phones.slice(0, 30).map(({ deviceNo }) => deviceNo), phones[0]?.person],
  )
  await work.behave(others, gone)
  expect(await send(phones.slice(0, 1))).toMatchObject({ sent: 30 })
  await send(others)
  await expect.poll(async () => (await guardOf(appNo))?.reason, soon).toContain('95 % of 21 people')
})

/** What a version before this one counted, from so many minutes ago back: pushes, or tokens. */
function countAsBefore(appNo: number, minutesAgo: number, judged: number, dead: number) {
  return work.database.query(
    `insert into bounce_minutes (app_no, provider, minute, judged, dead)
     select $1, 'apns', date_trunc('minute', now()) - m * interval '1 minute', $3, $4
     from generate_series($2::int, 5) m`,
    [appNo, minutesAgo, judged, dead],
  )
}

test('in the hour of an upgrade pushes that were counted before hide no dead people', async () => {
  const appNo = await work.addApp('upgraded, quiet')
  const phones = await acceptedPhones(appNo, 24)
  await countAsBefore(appNo, 1, 5000, 0)
  await work.behave(phones, gone)
  await send(phones)
  await expect.poll(async () => (await guardOf(appNo))?.reason, soon).toContain('100 % of')
})

test('in the hour of an upgrade tokens that were counted before are not taken for dead people', async () => {
  const appNo = await work.addApp('upgraded, loud')
  const phones = await acceptedPhones(appNo, 3)
  // Of this minute, too: both versions counted in it.
  await countAsBefore(appNo, 0, 700, 700)
  await work.behave(phones, gone)
  expect(await send(phones)).toMatchObject({ bounced: 3 })
  expect(await deadOf(appNo)).toBe(3)
  expect(await guardOf(appNo)).toMatchObject({ reason: null })
})

test.each<[string, (appNo: number) => Promise<Phone[]>]>([
  [
    '700 made-up tokens of one person',
    async (appNo) => {
      const phones = await work.addPhones(appNo, 700)
      const [first] = phones
      await work.database.query(
        `update devices set person_no = (select person_no from people where id = $2)
         where app_no = $1`,
        [appNo, first?.person],
      )
      return phones.slice(0, 1)
    },
  ],
  ['700 tokens of as many people that never worked', (appNo) => work.addPhones(appNo, 700)],
  [
    '100 tokens of one person that worked',
    async (appNo) => {
      const phones = await acceptedPhones(appNo, 100)
      await work.database.query(
        `update devices set person_no = (select person_no from people where id = $2)
         where app_no = $1`,
        [appNo, phones[0]?.person],
      )
      return phones.slice(0, 1)
    },
  ],
  ['nineteen of nineteen', (appNo) => acceptedPhones(appNo, 19)],
])('%s trip nothing, and are retired', async (name, add) => {
  const appNo = await work.addApp(name)
  const phones = await add(appNo)
  const { rows } = await work.database.query<Phone>(
    `select device_no::text as "deviceNo", token, '' as person from devices where app_no = $1`,
    [appNo],
  )
  await work.behave(rows, gone)
  await send(phones)
  expect(await deadOf(appNo)).toBe(rows.length)
  expect(await guardOf(appNo)).toMatchObject({ reason: null, isPaused: false })
})

test('a fifth of an app’s people are no mass bounce', async () => {
  const appNo = await work.addApp('a fifth')
  const phones = await acceptedPhones(appNo, 150)
  await work.behave(phones.slice(0, 30), gone)
  expect(await send(phones)).toMatchObject({ sent: 120, bounced: 30 })
  expect(await guardOf(appNo)).toMatchObject({ reason: null })
  expect(await deadOf(appNo)).toBe(30)
})

test('undo works for a time range without a guard, and leaves who registered since', async () => {
  const appNo = await work.addApp('range')
  const phones = await acceptedPhones(appNo, 15)
  await work.behave(phones, gone)
  await send(phones.slice(0, 5))
  const from = await momentBetween()
  await send(phones.slice(5, 10))
  const to = await momentBetween()
  await send(phones.slice(10))
  const again = phones[7]
  await work.database.query(
    `update devices set dead_at = null, dead_reason = null, last_status = '', epoch = epoch + 1
     where token = $1`,
    [again?.token],
  )
  expect(await decide(appNo, 'undo', from, to)).toEqual({ restored: 4 })
  expect(await deadOf(appNo)).toBe(10)
  expect(await decide(appNo, 'undo', from, to)).toEqual({ restored: 0 })
  const device = await findDevice(work.database, { appNo, token: phones[6]?.token ?? '' })
  expect(device).toMatchObject({ lastStatus: '' })
  expect(await decide(appNo, 'undo', null, null)).toEqual({ restored: 0 })
})

test('kept bounces stay, and the guard is quiet for an hour', async () => {
  const appNo = await work.addApp('kept')
  const phones = await acceptedPhones(appNo, 40)
  await work.behave(phones, gone)
  await send(phones.slice(0, 22))
  await expect.poll(async () => (await guardOf(appNo))?.reason, soon).toContain('mass bounce')
  const before = await deadOf(appNo)
  expect(await decide(appNo, 'keep', null, null)).toEqual({ restored: 0 })
  expect(await send(phones.slice(22))).toMatchObject({ bounced: 18 })
  expect(await deadOf(appNo)).toBe(before + 18)
  expect(await guardOf(appNo)).toMatchObject({ reason: null })
})
