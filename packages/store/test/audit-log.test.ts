import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Actor,
  audit,
  createApp,
  createKey,
  createWorkspace,
  inTransaction,
  readAudit,
} from '../src/index.ts'

let fixture: TestDatabase
beforeAll(async () => {
  fixture = await createTestDatabase()
})
afterAll(() => fixture[Symbol.asyncDispose]())

async function createActor(): Promise<Actor> {
  const { workspaceNo } = await createWorkspace(fixture.database, 'test')
  const key = { workspaceNo, appNo: null, kind: 'secret', name: 'night shift' } as const
  const { id } = await createKey(fixture.database, key)
  return { workspaceNo, key: { id, name: key.name, role: 'operate' } }
}

const page = { appNo: null, before: null, limit: 10 }
const cancelled = (actor: Actor, id: string) => ({
  actor,
  action: 'message.cancel' as const,
  target: { kind: 'message' as const, id },
  appNo: null,
  detail: {},
})

test('an entry tells who did what, when and on what; the newest comes first', async () => {
  const { database } = fixture
  const actor = await createActor()
  const { appNo, id: appId } = await createApp(database, actor.workspaceNo, 'shop')
  await audit(database, cancelled(actor, 'm1'))
  await audit(database, {
    actor: { ...actor, key: null, address: '203.0.113.7' },
    action: 'provider.resume',
    target: { kind: 'app', id: appId },
    appNo,
    detail: { provider: 'apns', bounces: 'undo', restored: 3 },
  })
  const { workspaceNo } = actor
  const { entries, next } = await readAudit(database, { ...page, workspaceNo })
  expect(next).toBeNull()
  expect(entries).toEqual([
    {
      entryNo: 2,
      at: expect.any(Date),
      key: null,
      address: '203.0.113.7',
      action: 'provider.resume',
      appId,
      targetKind: 'app',
      target: appId,
      detail: { provider: 'apns', bounces: 'undo', restored: 3 },
      isIntact: true,
    },
    {
      entryNo: 1,
      at: expect.any(Date),
      key: actor.key,
      address: null,
      action: 'message.cancel',
      appId: null,
      targetKind: 'message',
      target: 'm1',
      detail: {},
      isIntact: true,
    },
  ])
  const ofApp = await readAudit(database, { ...page, workspaceNo, appNo })
  expect(ofApp.entries.map(({ entryNo }) => entryNo)).toEqual([2])
  expect(ofApp.entries[0]?.isIntact).toBe(true)
})

test('it pages to the first entry, and shows no other workspace', async () => {
  const { database } = fixture
  const [actor, other] = [await createActor(), await createActor()]
  for (let n = 1; n <= 7; n += 1) await audit(database, cancelled(actor, `m${n}`))
  await audit(database, cancelled(other, 'theirs'))
  const seen: (string | null)[] = []
  let before: number | null = null
  do {
    const found = await readAudit(database, { ...page, ...actor, before, limit: 3 })
    seen.push(...found.entries.map(({ target }) => target))
    before = found.next
  } while (before !== null)
  expect(seen).toEqual(['m7', 'm6', 'm5', 'm4', 'm3', 'm2', 'm1'])
})

test('concurrent writers make one chain without gaps', async () => {
  const { database } = fixture
  const actor = await createActor()
  await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      inTransaction(database, (sql) => audit(sql, cancelled(actor, `m${n}`))),
    ),
  )
  const { entries } = await readAudit(database, { ...page, ...actor, limit: 100 })
  expect(entries.map(({ entryNo }) => entryNo)).toEqual(
    Array.from({ length: 40 }, (_, n) => 40 - n),
  )
  expect(entries.every(({ isIntact }) => isIntact)).toBe(true)
})

test('an entry of a transaction that is rolled back is none', async () => {
  const { database } = fixture
  const actor = await createActor()
  await expect(
    inTransaction(database, async (sql) => {
      await audit(sql, cancelled(actor, 'm1'))
      throw new Error('rolled back')
    }),
  ).rejects.toThrow('rolled back')
  expect((await readAudit(database, { ...page, ...actor })).entries).toEqual([])
})

test('entries are neither changed nor deleted; where the guard is taken off, it shows', async () => {
  const { database } = fixture
  const actor = await createActor()
  for (let n = 1; n <= 5; n += 1) await audit(database, cancelled(actor, `m${n}`))
  for (const change of [
    `update audit_log set target = 'other'`,
    'delete from audit_log',
    'truncate audit_log',
  ]) {
    await expect(database.query(change)).rejects.toThrow('neither changed nor deleted')
  }
  await database.query('alter table audit_log disable trigger audit_log_kept')
  const { workspaceNo } = actor
  await database.query(
    `update audit_log set target = 'other' where workspace_no = $1 and entry_no = 2`,
    [workspaceNo],
  )
  await database.query('delete from audit_log where workspace_no = $1 and entry_no = 4', [
    workspaceNo,
  ])
  await database.query('alter table audit_log enable trigger audit_log_kept')
  const { entries } = await readAudit(database, { ...page, workspaceNo })
  expect(entries.map(({ entryNo, isIntact }) => [entryNo, isIntact])).toEqual([
    [5, false],
    [3, true],
    [2, false],
    [1, true],
  ])
})

test('a person is in it by number: erased, nothing is left of the id', async () => {
  const { database } = fixture
  const actor = await createActor()
  const { rows } = await database.query<{ personNo: string }>(
    `insert into people (workspace_no, id) values ($1, 'ana@example.com')
     returning person_no as "personNo"`,
    [actor.workspaceNo],
  )
  const personNo = rows[0]?.personNo ?? ''
  await audit(database, {
    actor,
    action: 'person.suppress',
    target: { kind: 'person', personNo },
    appNo: null,
    detail: {},
  })
  const read = async () => (await readAudit(database, { ...page, ...actor })).entries[0]
  expect(await read()).toMatchObject({ target: 'ana@example.com', isIntact: true })
  await database.query('delete from people where person_no = $1', [personNo])
  expect(await read()).toMatchObject({ targetKind: 'person', target: null, isIntact: true })
  const { rows: stored } = await database.query('select * from audit_log where workspace_no = $1', [
    actor.workspaceNo,
  ])
  expect(JSON.stringify(stored)).not.toContain('ana@')
})
