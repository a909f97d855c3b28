import { resumeProvider } from '@pushkeep/store'
import { expect, test } from 'vitest'
import { openWorkplace, soon } from './workplace.ts'

// The guard looks after each batch of up to 500 outcomes, once 500 of a minute are judged. Should a
// minute begin in between, 499 of the one before and 999 of the next are retired before it trips.
const phonesCount = 1600

test('many tokens dead at once stop the lane; undone, all live and who waited gets the push', async () => {
  await using work = await openWorkplace()
  const { database } = work
  const appNo = await work.addApp('shop')
  const phones = await work.addPhones(appNo, phonesCount)
  await work.fault({ apns: { status: { status: 410, reason: 'Unregistered', share: 1 } } })
  work.start()
  const to = { person_ids: phones.map(({ person }) => person) }
  const id = await work.accept({ to }, 'bulk')
  const reason = async () => {
    const { rows } = await database.query<{ pause_reason: string | null }>(
      `select pause_reason from app_providers where app_no = $1 and provider = 'apns'`,
      [appNo],
    )
    return rows[0]?.pause_reason
  }
  await expect.poll(reason, soon).toMatch(/^mass bounce: 100 % of \d+ tokens/)
  const underWay = async () => {
    const { rowCount } = await database.query("select from chunks where state = 'leased'")
    return rowCount
  }
  await expect.poll(underWay, soon).toBe(0)
  const dead = async () => {
    const { rowCount } = await database.query('select from devices where dead_at is not null')
    return rowCount
  }
  const { bounced, pending } = (await work.report(id)).counts
  expect(await dead()).toBe(bounced)
  expect(pending).toBeGreaterThan(0)

  await work.fault({ apns: { status: null } })
  expect(await resumeProvider(database, appNo, 'apns', 'undo')).toEqual({ restored: bounced })
  expect(await dead()).toBe(0)
  expect(await work.done(id)).toMatchObject({ bounced, sent: pending })
}, 60_000)
