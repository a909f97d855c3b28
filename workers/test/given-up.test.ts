import { rescue } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Workplace } from './workplace.ts'

let work: Workplace
beforeAll(async () => {
  work = await openWorkplace()
})
afterAll(() => work[Symbol.asyncDispose]())

const chunkOf = async (appNo: number) => {
  const { rows } = await work.database.query<{ stranded: number; state: string }>(
    'select stranded, state from chunks where app_no = $1',
    [appNo],
  )
  return rows[0]
}

/** As if a worker had leased the app's chunk and ended. */
async function strand(appNo: number, settled = 0) {
  await work.database.query(
    `update chunks set state = 'leased', lease = gen_random_uuid(), settled = settled + $2,
                       rescue_at = now() - interval '1 second'
     where app_no = $1`,
    [appNo, settled],
  )
  await rescue(work.database, 100)
}

test('leases that run out in vain are counted, and an outcome begins the count anew', async () => {
  const appNo = await work.addApp('counted')
  const phones = await work.addPhones(appNo, 5)
  await work.accept({ to: { person_ids: phones.map(({ person }) => person) } })
  for (const stranded of [1, 2, 3]) {
    await strand(appNo)
    expect(await chunkOf(appNo)).toMatchObject({ stranded })
  }
  await strand(appNo, 1)
  expect(await chunkOf(appNo)).toMatchObject({ stranded: 1 })
  await strand(appNo)
  expect(await chunkOf(appNo)).toMatchObject({ stranded: 2 })
})

test('a chunk that was leased ten times in vain fails its deliveries, and leaves its devices', async () => {
  const appNo = await work.addApp('in vain')
  const phones = await work.addPhones(appNo, 250)
  const id = await work.accept({ to: { person_ids: phones.map(({ person }) => person) } }, 'bulk')
  await work.database.query('update chunks set stranded = 10 where app_no = $1', [appNo])
  const workers = work.start()
  const others = await work.addPhones(await work.addApp('others'), 1)
  const sent = await work.accept({ to: { person_id: others[0]?.person ?? '' } })
  expect(await work.done(sent)).toMatchObject({ sent: 1 })
  expect(await work.done(id)).toMatchObject({ failed: 250, pending: 0 })
  const reasons = new Set((await work.deliveries(id)).map(({ reason }) => reason))
  expect(reasons).toEqual(new Set(['no_progress']))
  expect(await work.received(phones.slice(0, 3))).toEqual({ requests: 0, accepted: 0 })
  const { rows } = await work.database.query(
    `select distinct last_status, failures from devices where app_no = $1`,
    [appNo],
  )
  expect(rows).toEqual([{ last_status: '', failures: 0 }])
  await workers.stop()
})

test.each([
  ['a filter that is not allowed any more', '{{ customer.id | where_exp: "x", "x" }}'],
  ['a nesting that no parser ends', '{% if customer.id %}'.repeat(3000)],
  ['no template at all', '{% nonsense %}'],
])('%s in a stored message fails its delivery', async (name, title) => {
  const workers = work.start()
  const appNo = await work.addApp(name)
  const [phone] = await work.addPhones(appNo, 1)
  const id = await work.accept({ to: { person_id: phone?.person ?? '' } })
  await work.database.query(
    `update messages set content = jsonb_build_object('content', jsonb_build_object('title', $2::text)),
                         person_keys = '{id}' where id = $1`,
    [id, title],
  )
  await work.database.query('update chunks set due_at = now() where app_no = $1', [appNo])
  expect(await work.done(id)).toMatchObject({ failed: 1, pending: 0 })
  expect((await work.deliveries(id))[0]).toMatchObject({ reason: 'template_failed' })
  await workers.stop()
})

test('how often a chunk may be leased in vain is a setting', async () => {
  const appNo = await work.addApp('patient')
  const [phone] = await work.addPhones(appNo, 1)
  const id = await work.accept({ to: { person_id: phone?.person ?? '' } })
  await work.database.query('update chunks set stranded = 10 where app_no = $1', [appNo])
  const workers = work.start({ strandedMax: 11 })
  expect(await work.done(id)).toMatchObject({ sent: 1 })
  await workers.stop()
})

test('a push whose templates take too long fails after its second try, and holds up no other', async () => {
  const appNo = await work.addApp('too long')
  const [phone] = await work.addPhones(appNo, 1)
  const to = { person_id: phone?.person ?? '' }
  const personal = await work.accept({ to, content: { title: 'Hi {{ customer.id }}' } })
  await work.database.query(`update messages set person_keys = '{id}' where id = $1`, [personal])
  const workers = work.start({ renderMs: -1 })
  expect(await work.done(personal)).toMatchObject({ failed: 1, pending: 0 })
  expect((await work.deliveries(personal))[0]).toMatchObject({ reason: 'template_failed' })
  expect(await work.done(await work.accept({ to, content: { title: 'Hi' } }))).toMatchObject({
    sent: 1,
  })
  await workers.stop()
})
