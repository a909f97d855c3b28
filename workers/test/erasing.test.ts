import { deletePerson, erasePerson, openErasures } from '@pushkeep/store'
import { findEverywhere } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Phone, soon, type Workplace } from './workplace.ts'

let at: Workplace
let appNo: number

beforeAll(async () => {
  at = await openWorkplace()
  appNo = await at.addApp('app')
})

afterAll(() => at[Symbol.asyncDispose]())

const wordsOf = ({ person, token }: Phone) => ({ person, token })

/** Until the workers have taken a person out of all messages; the second round as if its time had come. */
async function erased() {
  await expect
    .poll(async () => {
      await at.database.query('update erasures set due_at = now() where finished_at is null')
      return (await openErasures(at.database)).count
    }, soon)
    .toBe(0)
}

test('workers finish what deleting a person began, in the queue as well', async () => {
  at.start()
  const [phone] = await at.addPhones(appNo, 1)
  if (!phone) throw new Error('no phone')
  await at.done(await at.accept({ to: { person_id: phone.person } }))
  await at.done(await at.accept({ to: { token: phone.token } }))
  await deletePerson(at.database, { workspaceNo: at.workspaceNo, id: phone.person })
  await erased()
  expect(await findEverywhere(at.database, wordsOf(phone))).toEqual([])
  await at.stopAll()
})

test('an ambiguous answer about a device is forgotten with its person', async () => {
  at.start()
  const [phone, other] = await at.addPhones(appNo, 2)
  if (!phone || !other) throw new Error('no phones')
  await at.behave([phone, other], { kind: 'wrong-topic' })
  for (const { person } of [phone, other]) {
    await at.done(await at.accept({ to: { person_id: person } }))
  }
  const doubted = async () => {
    const { rows } = await at.database.query<{ device_no: string }>(
      'select device_no::text from doubts order by device_no',
    )
    return rows.map((row) => row.device_no)
  }
  await expect.poll(doubted, soon).toEqual([phone.deviceNo, other.deviceNo])
  await deletePerson(at.database, { workspaceNo: at.workspaceNo, id: phone.person })
  await erased()
  expect(await doubted()).toEqual([other.deviceNo])
  await at.stopAll()
})

test('a push that is on its way when its person is erased brings nothing of them back', async () => {
  at.start()
  const phones = await at.addPhones(appNo, 20)
  await at.fault({ apns: { delay_ms: 300 } })
  const ids = await Promise.all(
    phones.map(({ person }) => at.accept({ to: { person_id: person } })),
  )
  await expect.poll(async () => (await at.received(phones)).requests, soon).toBeGreaterThan(0)
  await Promise.all(
    phones.map(({ person }) =>
      erasePerson(at.database, { workspaceNo: at.workspaceNo, id: person }),
    ),
  )
  for (const id of ids) {
    const { sent, suppressed, recipients, pending } = await at.done(id)
    expect({ settled: sent + suppressed, recipients, pending }).toEqual({
      settled: 1,
      recipients: 1,
      pending: 0,
    })
  }
  await erased()
  for (const phone of phones) {
    expect(await findEverywhere(at.database, wordsOf(phone))).toEqual(['people.id: person'])
  }
  const { rows } = await at.database.query(
    `select from deliveries d join people p using (person_no) where p.blocked_at is not null`,
  )
  expect(rows).toEqual([])
}, 60_000)
