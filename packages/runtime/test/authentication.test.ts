import { createKey, type Database, revokeKey, type Sql } from '@pushkeep/store'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAuthenticator, keyOf } from '../src/index.ts'

let testDatabase: TestDatabase
let database: Database
let workspaceNo: number

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  database = testDatabase.database
  const { rows } = await database.query<{ workspace_no: number }>(
    `insert into workspaces (id, name) values (gen_random_uuid(), 'w') returning workspace_no`,
  )
  workspaceNo = rows[0]?.workspace_no ?? 0
})

afterAll(() => testDatabase[Symbol.asyncDispose]())

function counting(sql: Sql): { sql: Sql; count: () => number } {
  let count = 0
  const query: Sql['query'] = (...args) => {
    count += 1
    return sql.query(...args)
  }
  return { sql: { query }, count: () => count }
}

const key = `sk_${'a'.repeat(43)}`

test.each([
  [undefined, null],
  ['', null],
  ['Bearer', null],
  ['Bearer x', null],
  [`Bearer ${key}`, key],
  [`bearer  ${key}`, key],
  [key, null],
  [`Basic ${btoa(`${key}:`)}`, key],
  [`Basic ${btoa(key)}`, key],
  [`Basic ${btoa(`site:${key}`)}`, key],
  ['Basic ====', null],
  [`Bearer ${'s'.repeat(100_000)}`, null],
])('the key in %s', (authorization, expected) => {
  expect(keyOf(authorization)).toBe(expected)
})

test('a key is found until it is revoked and its time in the cache is over', async () => {
  let now = 0
  const authenticate = createAuthenticator(database, { now: () => now })
  const created = await createKey(database, {
    workspaceNo,
    appNo: null,
    kind: 'public',
    name: 'test',
  })
  const header = `Bearer ${created.key}`
  expect(await authenticate(header)).toEqual({
    workspaceNo,
    appNo: null,
    keyId: created.id,
    keyName: 'test',
    kind: 'public',
    role: null,
    isInstallation: false,
    expiresAt: null,
    allowedAddresses: null,
  })
  expect(await revokeKey(database, { workspaceNo: workspaceNo + 1, id: created.id })).toBe(false)
  expect(await revokeKey(database, { workspaceNo, id: created.id })).toBe(true)
  expect(await revokeKey(database, { workspaceNo, id: created.id })).toBe(false)
  now = 4999
  expect(await authenticate(header)).not.toBeNull()
  now = 5001
  expect(await authenticate(header)).toBeNull()
})

test('concurrent requests with one key ask the database once', async () => {
  const { sql, count } = counting(database)
  const authenticate = createAuthenticator(sql)
  const answers = await Promise.all(Array.from({ length: 50 }, () => authenticate(`Bearer ${key}`)))
  expect(answers).toEqual(Array.from({ length: 50 }, () => null))
  await authenticate(`Bearer ${key}`)
  expect(count()).toBe(1)
})

test('guessing keys does not push known ones out of the cache', async () => {
  const { sql, count } = counting(database)
  const authenticate = createAuthenticator(sql, { entriesMax: 10 })
  const created = await createKey(database, {
    workspaceNo,
    appNo: null,
    kind: 'secret',
    name: 'test',
  })
  await authenticate(`Bearer ${created.key}`)
  for (let n = 0; n < 50; n += 1) await authenticate(`Bearer sk_guess-${n}-${'x'.repeat(20)}`)
  const before = count()
  expect(authenticate(`Bearer ${created.key}`)).toMatchObject({ kind: 'secret' })
  expect(count()).toBe(before)
})
