import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  closeSession,
  createKey,
  createWorkspace,
  dropExpiredSessions,
  findSession,
  openSession,
  revokeKey,
  sessionIdleSeconds,
} from '../src/index.ts'

let fixture: TestDatabase
let workspaceNo: number
beforeAll(async () => {
  fixture = await createTestDatabase()
  workspaceNo = (await createWorkspace(fixture.database, 'test')).workspaceNo
})
afterAll(() => fixture[Symbol.asyncDispose]())

const newKey = async () =>
  (
    await createKey(fixture.database, {
      workspaceNo,
      appNo: null,
      kind: 'secret',
      name: 'ops',
      role: 'admin',
    })
  ).id

async function count(keyId: string): Promise<number> {
  const { rows } = await fixture.database.query<{ n: number }>(
    'select count(*)::int n from console_sessions where key_id = $1',
    [keyId],
  )
  return rows[0]?.n ?? 0
}

test('a session holds until it is closed, and its secret is nowhere in the database', async () => {
  const { database } = fixture
  const keyId = await newKey()
  const secret = await openSession(database, keyId)
  expect(await findSession(database, secret)).toEqual({
    owner: {
      workspaceNo,
      appNo: null,
      keyId,
      keyName: 'ops',
      kind: 'secret',
      role: 'admin',
      isInstallation: false,
      expiresAt: null,
      allowedAddresses: null,
    },
    expiresAt: expect.any(Date),
  })
  const { rows } = await database.query('select * from console_sessions')
  expect(JSON.stringify(rows)).not.toContain(secret)
  expect(await findSession(database, `${secret}x`)).toBeNull()
  await closeSession(database, secret)
  await closeSession(database, secret)
  expect(await findSession(database, secret)).toBeNull()
})

test('a revoked key ends its sessions at once, and a changed role counts at once', async () => {
  const { database } = fixture
  const keyId = await newKey()
  const secret = await openSession(database, keyId)
  await database.query(`update api_keys set role = 'read' where id = $1`, [keyId])
  expect((await findSession(database, secret))?.owner.role).toBe('read')
  await revokeKey(database, { workspaceNo, id: keyId })
  expect(await findSession(database, secret)).toBeNull()
})

test('it ends after its time and after its longest rest; use moves the rest on', async () => {
  const { database } = fixture
  const keyId = await newKey()
  const secret = await openSession(database, keyId)
  const restedFor = (seconds: number) =>
    database.query(
      `update console_sessions set used_at = now() - make_interval(secs => $2) where key_id = $1`,
      [keyId, seconds],
    )
  await restedFor(sessionIdleSeconds - 5)
  expect(await findSession(database, secret)).not.toBeNull()
  const { rows } = await database.query<{ rest: number }>(
    `select extract(epoch from now() - used_at)::float8 as rest from console_sessions
     where key_id = $1`,
    [keyId],
  )
  expect(rows[0]?.rest).toBeLessThan(30)
  await restedFor(sessionIdleSeconds + 1)
  expect(await findSession(database, secret)).toBeNull()

  const other = await openSession(database, keyId)
  await database.query('update console_sessions set expires_at = now() where key_id = $1', [keyId])
  expect(await findSession(database, other)).toBeNull()
  await dropExpiredSessions(database)
  expect(await count(keyId)).toBe(0)
})

test('a key has so many sessions at most: the oldest goes', async () => {
  const { database } = fixture
  const keyId = await newKey()
  const first = await openSession(database, keyId)
  const second = await openSession(database, keyId)
  for (let n = 0; n < 19; n += 1) await openSession(database, keyId)
  expect(await count(keyId)).toBe(20)
  expect(await findSession(database, first)).toBeNull()
  expect(await findSession(database, second)).not.toBeNull()
})

test('a public key has no role, a secret one has one', async () => {
  const { database } = fixture
  const key = { workspaceNo, appNo: null, name: 'test' }
  const ids = [
    (await createKey(database, { ...key, kind: 'public', role: 'admin' })).id,
    (await createKey(database, { ...key, kind: 'secret' })).id,
  ]
  const { rows } = await database.query(
    'select role from api_keys where id = any($1::uuid[]) order by kind',
    [ids],
  )
  expect(rows).toEqual([{ role: null }, { role: 'operate' }])
})
