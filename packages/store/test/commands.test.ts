import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommander } from '../src/index.ts'
import { type Commanded, createCommanded } from './commander.ts'
import { changeOf, randomToken } from './registry.ts'

let at: Commanded

beforeAll(async () => {
  at = await createCommanded()
})

afterAll(() => at[Symbol.asyncDispose]())

const minute = 60_000

test('a list of all kinds takes effect in its order', async () => {
  const token = randomToken()
  const verdicts = await at.do(
    at.identify('ana', { plan: 'free', city: 'Oslo', gone: 1 }),
    at.register(token, 'ana', { change: changeOf({ theme: 'dark' }) }),
    at.event('ana', 'opened'),
    at.identify('ana', { plan: 'pro', gone: null }),
    at.identify('ana', { gone: 2 }),
    at.identify('ana', { gone: '' }),
    at.event('ana', 'bought', { properties: { price: 3 } }),
    at.remove(token, 'ana'),
    at.register(token, 'bob'),
  )
  expect(verdicts).toEqual(Array(9).fill('done'))
  expect(await at.attributes('ana')).toEqual({ plan: 'pro', city: 'Oslo' })
  expect(await at.names('ana')).toEqual(['opened', 'bought'])
  expect(await at.device(token)).toMatchObject({ personId: 'bob', attributes: {} })
  expect(await at.kinds(token)).toEqual(['registered', 'deleted', 're_registered'])
})

test('a switch of persons on one phone leaves the token with the second, in whatever order it arrives', async () => {
  const now = Date.now()
  const token = randomToken()
  const steps = [
    at.register(token, 'first', { at: now - 9 * minute }),
    at.remove(token, 'first', now - 5 * minute),
    at.register(token, 'second', { at: now - 5 * minute + 1 }),
  ]
  for (const order of permutations(steps)) {
    for (const step of order) await at.do(step)
    expect(await at.device(token)).toMatchObject({ personId: 'second' })
    await at.database.query('delete from devices where app_no = $1', [at.appNo])
  }
})

test('a logout that overtakes its login leaves the token with nobody', async () => {
  const now = Date.now()
  const login = (token: string) => at.register(token, 'early', { at: now - 9 * minute })
  const logout = (token: string) => at.remove(token, 'early', now - 5 * minute)
  for (const owner of ['unknown', 'nobody', 'other', 'tombstone']) {
    const token = randomToken()
    const before = { at: now - 20 * minute }
    if (owner === 'nobody') await at.do(at.register(token, null, before))
    if (owner === 'other') await at.do(at.register(token, 'other', before))
    if (owner === 'tombstone') {
      await at.do(at.register(token, 'early', before), at.remove(token, 'early', now - 19 * minute))
    }
    await at.do(logout(token))
    await at.do(login(token))
    const device = await at.device(token)
    expect([owner, device?.personId ?? null]).toEqual([owner, owner === 'other' ? 'other' : null])
  }
})

test('a phone that says that nobody is identified has no person, also if the logout comes late', async () => {
  const now = Date.now()
  const token = randomToken()
  await at.do(at.register(token, 'logged out', { at: now - 9 * minute }))
  await at.do(at.register(token, null, { isAnonymous: true, at: now - minute }))
  await at.do(at.remove(token, 'logged out', now - 5 * minute))
  expect(await at.device(token)).toMatchObject({ personId: null })
  expect(await at.kinds(token)).toEqual(['registered', 'untied'])
})

test('an update alone changes whoever is there, and creates nobody', async () => {
  await at.do(at.identify('nobody', { a: 1 }, null, { isUpdateOnly: true }))
  expect(await at.person('nobody')).toBeNull()
  await at.do(
    at.identify('late', { a: 1 }, null, { isUpdateOnly: true }),
    at.identify('late', { b: 1 }),
    at.identify('late', { a: 2 }, null, { isUpdateOnly: true }),
  )
  expect(await at.attributes('late')).toEqual({ a: 2, b: 1 })
})

describe('attributes that tell their time', () => {
  const t = Date.now() - 10 * minute
  test('are the latest of each name, in whatever order they arrive', async () => {
    const changes = [
      at.identify('timed', { plan: 'free', city: 'Oslo', gone: 1 }, null, { at: t }),
      at.identify('timed', { plan: 'pro', gone: null }, null, { at: t + 1 }),
      at.identify('timed', { plan: 'team', late: 1 }, null, { at: t + 2 }),
    ]
    for (const order of permutations(changes)) {
      for (const one of [order.map((change) => [change]), [order]]) {
        for (const list of one) await at.do(...list)
        const attributes = await at.attributes('timed')
        expect(attributes).toMatchObject({ plan: 'team', city: 'Oslo', late: 1 })
        await at.database.query(`delete from people where id = 'timed'`)
      }
    }
  })

  test('a call that tells no time always counts, and so does the next one that does', async () => {
    await at.do(at.identify('mixed', { a: 1, b: 1 }, null, { at: t + 5 }))
    await at.do(at.identify('mixed', { a: 2 }))
    await at.do(at.identify('mixed', { a: 3, b: 3 }, null, { at: t }))
    expect(await at.attributes('mixed')).toEqual({ a: 3, b: 1 })
  })

  test('a clock that runs ahead keeps nobody from changing it again', async () => {
    await at.do(at.identify('ahead', { a: 1 }, null, { at: Date.now() + 1000 * minute }))
    await new Promise((resolve) => setTimeout(resolve, 5))
    await at.do(at.identify('ahead', { a: 2 }, null, { at: Date.now() }))
    expect(await at.attributes('ahead')).toEqual({ a: 2 })
  })

  test('times are kept of what is there alone', async () => {
    await at.do(at.identify('kept times', { a: 1, b: 1, c: 1 }, null, { at: t }))
    await at.do(
      at.identify('kept times', { a: null }, null, { at: t + 1 }),
      at.identify('kept times', { b: 2 }),
    )
    const { rows } = await at.database.query(
      `select attribute_times as times from people where id = 'kept times'`,
    )
    expect(rows).toEqual([{ times: { c: t } }])
  })
})

test('one command that does not fit costs the others nothing, and they keep their order', async () => {
  const large = { text: 'x'.repeat(60_000) }
  const parts = Array.from({ length: 5 }, (_, n) =>
    at.identify('large', { [`part${n}`]: large.text }),
  )
  const verdicts = await at.do(
    at.identify('small', { n: 1 }),
    ...parts,
    at.identify('small', { n: 2 }),
    at.event('large', 'lives'),
  )
  expect(verdicts.filter((verdict) => verdict === 'too_large')).toHaveLength(1)
  expect(verdicts.slice(0, 5)).toEqual(Array(5).fill('done'))
  expect(await at.attributes('small')).toEqual({ n: 2 })
  expect(await at.names('large')).toEqual(['lives'])
})

describe('a client’s id of a call', () => {
  test('is honoured once, in one list and in the next, and by another process', async () => {
    const calls: Parameters<typeof at.send> = [
      ['once-1', at.event('once', 'a')],
      ['once-2', at.identify('once', { n: 1 })],
      ['once-1', at.event('once', 'b')],
    ]
    expect(await at.send(...calls)).toEqual(['done', 'done', 'repeated'])
    await at.do(at.identify('once', { n: 2 }))
    expect(await at.send(...calls)).toEqual(['repeated', 'repeated', 'repeated'])
    const elsewhere = createCommander(at.database)
    const message = { workspaceNo: at.workspaceNo, messageId: 'once-1' }
    expect(await elsewhere([{ command: at.event('once', 'c'), message }])).toEqual(['repeated'])
    expect(await at.names('once')).toEqual(['a'])
    expect(await at.attributes('once')).toEqual({ n: 2 })
  })

  test('is honoured once, however many come at the same time', async () => {
    const lists = Array.from({ length: 20 }, (_, n) => {
      const commander = n % 2 ? at.run : createCommander(at.database)
      return commander(
        Array.from({ length: 10 }, (_, i) => ({
          command: at.event('crowd', `e${(i * 7 + n) % 10}`),
          message: { workspaceNo: at.workspaceNo, messageId: `crowd ${(i * 7 + n) % 10}` },
        })),
      )
    })
    const verdicts = (await Promise.all(lists)).flat()
    expect(verdicts.filter((verdict) => verdict === 'done')).toHaveLength(10)
    expect((await at.names('crowd'))?.toSorted()).toEqual(
      Array.from({ length: 10 }, (_, n) => `e${n}`),
    )
  })

  test('that was refused may come again', async () => {
    await at.do(
      ...Array.from({ length: 4 }, (_, n) =>
        at.identify('full', { [`part${n}`]: 'x'.repeat(60_000) }),
      ),
    )
    const call = () => at.send(['refused', at.identify('full', { more: 'x'.repeat(60_000) })])
    expect(await call()).toEqual(['too_large'])
    await at.do(at.identify('full', { part0: null, part1: null }))
    expect(await call()).toEqual(['done'])
  })

  test('belongs to its workspace', async () => {
    await at.send(['shared', at.event('ana', 'mine')])
    const message = { workspaceNo: at.workspaceNo + 1, messageId: 'shared' }
    expect(await at.run([{ command: at.event('ana', 'theirs'), message }])).toEqual(['done'])
  })

  test('that was honoured last week is known this week', async () => {
    const { database } = at
    await at.send(['week', at.event('week', 'a')])
    await database.query(`update client_messages set week = week - 7`)
    expect(await at.send(['week', at.event('week', 'b')])).toEqual(['repeated'])
  })
})

describe('people', () => {
  test('who are deleted take their devices, events and anonymous ids along', async () => {
    const token = randomToken()
    await at.do(
      at.event(null, 'before', { anonymousId: 'gone-phone' }),
      at.identify('gone', { a: 1 }, 'gone-phone'),
      at.register(token, 'gone'),
      at.event('gone', 'seen'),
      { kind: 'delete-person', person: { workspaceNo: at.workspaceNo, id: 'gone' } },
      at.identify('gone', { b: 1 }),
    )
    expect(await at.attributes('gone')).toEqual({ b: 1 })
    expect(await at.names('gone')).toEqual([])
    expect(await at.device(token)).toBeNull()
    const { rows } = await at.database.query(
      `select (select count(*)::int from person_events where name in ('before', 'seen')) as events,
              (select count(*)::int from anonymous_ids where anonymous_id = 'gone-phone') as ids`,
    )
    expect(rows).toEqual([{ events: 0, ids: 0 }])
  })

  test('who are erased stay so, whatever is said of them, until they are unsuppressed', async () => {
    const person = { workspaceNo: at.workspaceNo, id: 'erased' }
    const [old, fresh, shared] = [randomToken(), randomToken(), randomToken()]
    const everything = [
      at.identify('erased', { a: 1 }, 'erased-phone'),
      at.register(old, 'erased'),
      at.register(fresh, 'erased'),
      at.event('erased', 'seen'),
      at.event(null, 'alone', { anonymousId: 'erased-phone' }),
    ]
    await at.do(at.register(shared, 'next'), ...everything.slice(0, 2), {
      kind: 'erase-person',
      person,
    })
    await at.do(...everything, at.register(shared, 'erased'))
    expect(await at.person('erased')).toMatchObject({
      suppressed: true,
      blocked: true,
      attributes: {},
    })
    expect(await at.names('erased')).toEqual([])
    expect(await at.device(old)).toBeNull()
    expect(await at.device(fresh)).toBeNull()
    // It is not the phone of whoever had it before any more.
    expect(await at.device(shared)).toMatchObject({ personId: null })
    expect(await at.registerElsewhere({ token: fresh, personId: 'erased' })).toEqual({
      applied: false,
      device: null,
    })

    await at.do({ kind: 'unsuppress-person', person }, ...everything)
    expect(await at.person('erased')).toMatchObject({
      suppressed: false,
      blocked: false,
      attributes: { a: 1 },
    })
    expect(await at.device(fresh)).toMatchObject({ personId: 'erased' })
  })

  test('who are one are made one', async () => {
    const token = randomToken()
    const merge = { workspaceNo: at.workspaceNo, primary: 'kept', secondary: 'double' }
    await at.do(
      at.identify('kept', { a: 1 }),
      at.event(null, 'anonymous', { anonymousId: 'double-phone' }),
      at.identify('double', { a: 2, b: 2 }, 'double-phone'),
      at.event('double', 'seen'),
      at.register(token, 'double'),
      { kind: 'merge-people', merge },
      at.event(null, 'late', { anonymousId: 'double-phone' }),
    )
    expect(await at.attributes('kept')).toEqual({ a: 1, b: 2 })
    expect(await at.person('double')).toBeNull()
    expect(await at.names('kept')).toEqual(['anonymous', 'seen', 'late'])
    expect(await at.device(token)).toMatchObject({ personId: 'kept' })
    expect(await at.kinds(token)).toEqual(['registered', 'moved'])
  })

  test.each([
    ['nobody', 'kept'],
    ['kept', 'nobody'],
    ['kept', 'kept'],
  ])('%s and %s are not made one', async (primary, secondary) => {
    await at.do(at.identify('kept', { a: 1 }), {
      kind: 'merge-people',
      merge: { workspaceNo: at.workspaceNo, primary, secondary },
    })
    expect(await at.attributes('kept')).toMatchObject({ a: 1 })
    expect(await at.person('nobody')).toBeNull()
  })
})

test('many lists at once about the same people, phones and devices all take effect', async () => {
  const tokens = Array.from({ length: 8 }, randomToken)
  const lists = Array.from({ length: 40 }, (_, n) => {
    const commander = n % 3 ? at.run : createCommander(at.database)
    const who = (i: number) => `busy ${(i * 5 + n) % 7}`
    const commands = Array.from({ length: 12 }, (_, i) => [
      at.identify(who(i), { [`k${n}-${i}`]: 1 }, `busy phone ${(i + n) % 5}`),
      at.event(who(i + 1), `e${n}-${i}`),
      at.event(null, `a${n}-${i}`, { anonymousId: `busy phone ${(i * 3 + n) % 5}` }),
      at.register(tokens[(i * 3 + n) % 8] ?? '', who(i)),
      at.remove(tokens[(i * 5 + n) % 8] ?? '', who(i)),
    ]).flat()
    return commander(commands.map((command) => ({ command, message: null })))
  })
  const verdicts = (await Promise.all(lists)).flat()
  expect(verdicts).toHaveLength(40 * 12 * 5)
  expect(verdicts.every((verdict) => verdict === 'done')).toBe(true)
  const people = await Promise.all(Array.from({ length: 7 }, (_, n) => at.attributes(`busy ${n}`)))
  const keys = people.flatMap((attributes) => Object.keys(attributes ?? {}))
  expect(keys).toHaveLength(40 * 12)
  const { rows } = await at.database.query(
    `select count(*)::int as n, count(person_no)::int as owned from person_events
     where name ~ '^[ea][0-9]+-'`,
  )
  // Every phone was somebody's in the end, so that nothing is left without a person.
  expect(rows).toEqual([{ n: 40 * 12 * 2, owned: 40 * 12 * 2 }])
})

function permutations<T>(items: T[]): T[][] {
  if (items.length <= 1) return [items]
  return items.flatMap((item, n) =>
    permutations(items.toSpliced(n, 1)).map((rest) => [item, ...rest]),
  )
}
