import type { Attributes } from '@pushkeep/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  capSettings,
  connect,
  createIdentifier,
  createRegistrar,
  type Registered,
  type Registration,
} from '../src/index.ts'
import { type Commanded, createCommanded } from './commander.ts'
import { changeOf, randomToken } from './registry.ts'

const most = 3
let registry: Commanded
let register: (call: Partial<Registration> & { token: string }) => Promise<Registered>
beforeAll(async () => {
  registry = await createCommanded({ personDevices: most, personAttributes: 300 })
  const registrar = createRegistrar(registry.database)
  register = (call) => registrar(registry.complete(call))
})
afterAll(() => registry[Symbol.asyncDispose]())

let people = 0
/** A person with so many devices, the first used longest ago. */
async function owner(devices: number): Promise<{ id: string; tokens: string[] }> {
  people += 1
  const id = `owner-${people}`
  const tokens = Array.from({ length: devices }, randomToken)
  const second = Math.floor(Date.now() / 1000)
  for (const [n, token] of tokens.entries()) {
    await register({ token, personId: id, lastUsed: second - 100 + n })
  }
  return { id, tokens }
}

async function countOf(id: string): Promise<number> {
  const { rows } = await registry.database.query<{ n: number }>(
    'select count(*)::int as n from devices join people using (person_no) where id = $1',
    [id],
  )
  return rows[0]?.n ?? 0
}

const tooMany = { name: 'TooManyDevicesError', devicesMax: most }

test('one more device than a person may have is refused, and nothing of it is stored', async () => {
  const { id } = await owner(most)
  const token = randomToken()
  await expect(register({ token, personId: id })).rejects.toMatchObject(tooMany)
  expect(await registry.device(token)).toBeNull()
  expect(await countOf(id)).toBe(most)
})

test('a refused registration fails none of those that share its statement', async () => {
  const { id } = await owner(most)
  const others = Array.from({ length: 20 }, randomToken)
  const results = await Promise.allSettled([
    ...others.slice(0, 10).map((token) => register({ token, personId: `apart-${token}` })),
    register({ token: randomToken(), personId: id }),
    ...others.slice(10).map((token) => register({ token, personId: `apart-${token}` })),
  ])
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
  for (const token of others) expect(await registry.device(token)).not.toBeNull()
})

test('devices that the person has are registered again, and change, at the cap', async () => {
  const { id, tokens } = await owner(most)
  for (const token of tokens) {
    const change = changeOf({ push_enabled: false })
    expect(await register({ token, personId: id })).toMatchObject({ applied: true })
    expect(await register({ token, personId: id, change })).toMatchObject({
      applied: true,
    })
  }
})

test('a token that replaces another of the person is registered at the cap', async () => {
  const { id, tokens } = await owner(most)
  const [previousToken = ''] = tokens
  const token = randomToken()
  const registered = await register({ token, personId: id, previousToken })
  expect(registered).toMatchObject({ applied: true, device: { personId: id } })
  expect(await countOf(id)).toBe(most)
})

test('a device that is deleted makes room for one that follows in the same call', async () => {
  const { id, tokens } = await owner(most)
  const token = randomToken()
  const [first = ''] = tokens
  const run = registry.do(registry.remove(first, id), registry.register(token, id))
  expect(await run).toEqual(['done', 'done'])
  expect(await countOf(id)).toBe(most)
})

async function kill(token: string): Promise<void> {
  await registry.database.query('update devices set dead_at = now() where token = $1', [token])
}

async function letLie(token: string, days: number): Promise<void> {
  await registry.database.query(
    'update devices set last_used = extract(epoch from now()) - $2 * 86400.0 where token = $1',
    [token, days],
  )
}

test.each<[string, (tokens: string[]) => Promise<void>, number | null]>([
  ['a dead device goes', async ([, second = '']) => kill(second), 1],
  [
    'of two dead ones the one used least recently goes',
    async ([, second = '', third = '']) => {
      await kill(third)
      await kill(second)
    },
    1,
  ],
  ['one that was not used for 271 days goes', async ([, , third = '']) => letLie(third, 271), 2],
  [
    'one that was not used for 269 days stays',
    async ([, , third = '']) => letLie(third, 269),
    null,
  ],
  [
    'a dead one goes before one that is unused',
    async ([first = '', , third = '']) => {
      await letLie(first, 300)
      await kill(third)
    },
    2,
  ],
])('to make room %s', async (_, prepare, gone) => {
  const { id, tokens } = await owner(most)
  await prepare(tokens)
  const token = randomToken()
  const registering = register({ token, personId: id })
  if (gone === null) await expect(registering).rejects.toMatchObject(tooMany)
  else expect(await registering).toMatchObject({ applied: true, device: { personId: id } })
  const left = await Promise.all(tokens.map((one) => registry.device(one)))
  expect(left.map((device) => device === null)).toEqual(tokens.map((_, n) => n === gone))
  if (gone !== null) expect(await registry.kinds(tokens[gone] ?? '')).toContain('replaced')
})

test('a token of another person does not come to one who has as many as one may have', async () => {
  const { id } = await owner(most)
  const { id: other, tokens } = await owner(1)
  const [token = ''] = tokens
  await expect(register({ token, personId: id })).rejects.toMatchObject(tooMany)
  expect(await registry.device(token)).toMatchObject({ personId: other })
})

test('a command beyond the cap has its verdict, and those beside it are done', async () => {
  const { id } = await owner(most - 1)
  const commands = Array.from({ length: 4 }, () => registry.register(randomToken(), id))
  const verdicts = await registry.do(...commands, registry.identify(id, { plan: 'pro' }))
  expect(verdicts.filter((verdict) => verdict === 'done')).toHaveLength(2)
  expect(verdicts.filter((verdict) => verdict === 'too_many_devices')).toHaveLength(3)
  expect(await countOf(id)).toBe(most)
  expect(await registry.attributes(id)).toEqual({ plan: 'pro' })
})

test('many registrations of one moment come to no more than a person may have', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, () => register({ token: randomToken(), personId: 'crowd' })),
  )
  const done = results.filter(
    (result): result is PromiseFulfilledResult<Registered> => result.status === 'fulfilled',
  )
  expect(await countOf('crowd')).toBe(done.length)
  expect(done.length).toBeLessThanOrEqual(2 * most)
  await expect(register({ token: randomToken(), personId: 'crowd' })).rejects.toMatchObject(tooMany)
})

/** A session without caps, as an older version was. */
function withoutCaps() {
  return connect({
    ...{ url: registry.databaseUrl, name: 'test', connectionsMax: 1 },
    settings: capSettings({ personDevices: 0, personAttributes: 0 }),
  })
}

test('a person who has more from before keeps them, and registers them again', async () => {
  const { id, tokens } = await owner(most)
  const extra = randomToken()
  await register({ token: extra })
  await registry.database.query(
    'update devices set person_no = (select person_no from people where id = $1) where token = $2',
    [id, extra],
  )
  for (const token of [...tokens, extra]) {
    expect(await register({ token, personId: id })).toMatchObject({ applied: true })
  }
  expect(await countOf(id)).toBe(most + 1)
  await expect(register({ token: randomToken(), personId: id })).rejects.toMatchObject(tooMany)
})

/** So many attributes, whose names begin with `prefix`. */
const named = (prefix: string, count: number): Attributes =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}-${n}`, n]))

const tooManyNames = { constraint: 'people_attributes_count' }

test('a person has so many attributes in sum, and no more', async () => {
  const identify = createIdentifier(registry.database)
  const call = (attributes: Attributes) =>
    identify({ workspaceNo: registry.workspaceNo, id: 'named', attributes })
  await call(named('a', 200))
  await call(named('b', 100))
  await expect(call({ one: 'more' })).rejects.toMatchObject(tooManyNames)
  await call({ 'a-1': 'changed', 'a-2': null })
  await call({ one: 'more' })
  expect(Object.keys((await registry.attributes('named')) ?? {})).toHaveLength(300)
})

test('a device has so many attributes in sum, and no more', async () => {
  const token = randomToken()
  const describe = (prefix: string) => register({ token, change: changeOf(named(prefix, 200)) })
  await describe('a')
  await expect(describe('b')).rejects.toMatchObject({ constraint: 'devices_attributes_count' })
})

test('a person who has more attributes from before changes and removes them, and adds none', async () => {
  await using old = { pool: withoutCaps(), [Symbol.asyncDispose]: () => old.pool.end() }
  const call = (attributes: Attributes, database = registry.database) =>
    createIdentifier(database)({ workspaceNo: registry.workspaceNo, id: 'rich', attributes })
  for (const prefix of ['a', 'b']) await call(named(prefix, 250), old.pool)
  await call({ 'a-1': 'changed', 'b-1': null })
  await expect(call({ new: 1, newer: 2 })).rejects.toMatchObject(tooManyNames)
  expect(Object.keys((await registry.attributes('rich')) ?? {})).toHaveLength(499)
})

test('of two people who together have too many attributes the one that stays keeps its own', async () => {
  for (const [id, prefix] of [
    ['kept', 'a'],
    ['gone', 'b'],
  ] as const) {
    await registry.do(registry.identify(id, named(prefix, 200)))
  }
  const { workspaceNo } = registry
  const merge = { workspaceNo, primary: 'kept', secondary: 'gone' }
  expect(await registry.do({ kind: 'merge-people', merge })).toEqual(['done'])
  expect(Object.keys((await registry.attributes('kept')) ?? {})).toHaveLength(200)
})
