import { createKey, createWorkspace, keysOf, noteKeyUses } from '@pushkeep/store'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createKeyUses, isAllowedFrom, refusalByTerms } from '../src/index.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const at = (ms: number) => new Date(ms)
const anywhere = { allowedAddresses: null }

test.each([
  [{ expiresAt: null, ...anywhere }, null],
  [{ expiresAt: at(1001), ...anywhere }, null],
  [{ expiresAt: at(1000), ...anywhere }, 'key_expired'],
  [{ expiresAt: null, allowedAddresses: ['10.0.0.0/8'] }, null],
  [{ expiresAt: null, allowedAddresses: ['192.0.2.1'] }, 'address_not_allowed'],
  [{ expiresAt: at(1), allowedAddresses: ['192.0.2.1'] }, 'key_expired'],
])('a key with the terms %j', (terms, code) => {
  expect(refusalByTerms(terms, '10.1.2.3', 1000)?.problem.code ?? null).toBe(code)
})

test.each([
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.0.0.0/8'], '::ffff:10.0.0.1', true],
  [['203.0.113.7'], '203.0.113.7', true],
  [['203.0.113.7'], '203.0.113.8', false],
  [['2001:db8::/32'], '2001:db8:1::1', true],
  [['2001:db8::/32'], '2001:db9::1', false],
  [['fe80::1'], 'fe80::1%eth0', true],
  [['10.0.0.0/8', '2001:db8::1'], '2001:DB8::1', true],
  [['10.0.0.0/8'], undefined, false],
])('a list %j and the address %s: %s', (list, address, expected) => {
  expect(isAllowedFrom(list, address)).toBe(expected)
})

test('uses are written down together, and of a key once a minute', async () => {
  const { workspaceNo } = await createWorkspace(db.database, 'test')
  const key = { workspaceNo, appNo: null, kind: 'secret', name: 'x' } as const
  const used = await createKey(db.database, key)
  const unused = await createKey(db.database, key)
  let now = 0
  let statements = 0
  const query = (...args: unknown[]) => {
    statements += 1
    return Reflect.apply(db.database.query, db.database, args)
  }
  const uses = createKeyUses({
    sql: { query } as typeof db.database,
    onError: (error) => {
      throw error
    },
    everyMs: 3_600_000,
    now: () => now,
  })
  for (let n = 0; n < 1000; n += 1) uses.note(used.id, false)
  await uses.flush()
  expect(statements).toBe(1)
  now = 59_999
  uses.note(used.id, false)
  await uses.flush()
  expect(statements).toBe(1)
  uses.note(used.id, true)
  await uses.flush()
  expect(statements).toBe(2)
  now = 200_000
  uses.note(used.id, false)
  await uses.close()
  expect(statements).toBe(3)
  const keys = await keysOf(db.database, { workspaceNo, appNo: null })
  expect(keys.find(({ id }) => id === used.id)).toMatchObject({
    usedAt: expect.any(Date),
    exposedAt: expect.any(Date),
  })
  expect(keys.find(({ id }) => id === unused.id)).toMatchObject({ usedAt: null, exposedAt: null })
  // A key that is gone is left out.
  await noteKeyUses(db.database, [{ keyId: crypto.randomUUID(), isExposed: false }])
})
