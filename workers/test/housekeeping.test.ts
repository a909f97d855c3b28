import { createWorkspace } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { startHousekeeping } from '../src/housekeeping.ts'

const soon = { timeout: 15_000, interval: 50 }

test('whoever begins to lead only later keeps house from then on', async () => {
  const db = await createTestDatabase()
  const state = { isLeading: false, lookedAt: 0 }
  const housekeeping = startHousekeeping({
    database: db.as('workers'),
    retention: { messageDays: 90, timelineDays: 400 },
    eventDays: 90,
    encryptionKey: Buffer.alloc(32),
    onAuditHead: () => {},
    isLeading: () => {
      state.lookedAt += 1
      return state.isLeading
    },
    now: Date.now,
    onUnbalanced: () => {},
    onError: (error) => {
      throw error
    },
  })
  onTestFinished(async () => {
    await housekeeping.stop()
    await db[Symbol.asyncDispose]()
  })
  const { workspaceNo } = await createWorkspace(db.database, 'test')
  await db.database.query(
    `insert into idempotency_keys (workspace_no, key, body_hash, message_id, created_at)
     values ($1, 'old', '', gen_random_uuid(), now() - interval '8 days')`,
    [workspaceNo],
  )
  const keys = async () => (await db.database.query('select from idempotency_keys')).rowCount
  await expect.poll(() => state.lookedAt, soon).toBeGreaterThan(0)
  expect(await keys()).toBe(1)
  state.isLeading = true
  await expect.poll(keys, soon).toBe(0)
})
