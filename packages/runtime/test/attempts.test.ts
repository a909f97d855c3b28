import { createWorkspace, readAudit } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { createAttemptLog } from '../src/index.ts'

async function openLog(kindsMax: number) {
  const db = await createTestDatabase()
  onTestFinished(() => db[Symbol.asyncDispose]())
  const { workspaceNo } = await createWorkspace(db.database, 'test')
  const log = createAttemptLog({
    database: db.as('sender'),
    kindsMax,
    onError: (error) => {
      throw error
    },
  })
  const page = { appNo: null, before: null, limit: 100 }
  return {
    log,
    workspaceNo,
    entries: async (no: number) =>
      (await readAudit(db.database, { ...page, workspaceNo: no })).entries.toReversed(),
  }
}

const key = { id: '01890000-0000-7000-8000-000000000001', name: 'reader', role: 'read' } as const

test('the first attempt of a kind is written at once, the others with their number', async () => {
  const { log, workspaceNo, entries } = await openLog(50)
  const address = '203.0.113.9'
  const actor = { workspaceNo, key, address }
  for (let n = 0; n < 25; n += 1) {
    log.note({ actor, address, action: 'access.refused', code: 'role_needed' })
  }
  await expect.poll(async () => (await entries(workspaceNo)).length).toBe(1)
  await log.close()
  expect(await entries(workspaceNo)).toMatchObject([
    { action: 'access.refused', address, key, detail: { code: 'role_needed', attempts: 1 } },
    { action: 'access.refused', address, key, detail: { code: 'role_needed', attempts: 24 } },
  ])
})

test('a flood from many addresses is a bounded number of entries, and none is forgotten', async () => {
  const { log, entries } = await openLog(5)
  for (let n = 0; n < 1000; n += 1) {
    const address = `203.0.113.${n % 250}`
    log.note({ actor: null, address, action: 'session.refused', code: 'wrong_key' })
  }
  await log.close()
  const found = await entries(0)
  expect(found).toHaveLength(11)
  const attempts = found.reduce((sum, { detail }) => sum + Number(detail.attempts), 0)
  expect(attempts).toBe(1000)
})
