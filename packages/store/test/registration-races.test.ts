import { afterAll, beforeAll, expect, test } from 'vitest'
import { inTransaction } from '../src/connect.ts'
import { deleteDevice, deletePerson, untieDevice } from '../src/index.ts'
import { registerNew } from '../src/new-registrations.ts'
import { deletePersonIn } from '../src/people.ts'
import { itemOf } from '../src/registrations.ts'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>

beforeAll(async () => {
  registry = await createRegistry()
})

afterAll(() => registry[Symbol.asyncDispose]())

const rounds = Array.from({ length: 20 }, (_, n) => n)

/** Who has the token after its events, one by one; each must follow from the one before. */
function ownerByTimeline(events: Awaited<ReturnType<typeof registry.events>>): string | null {
  let owner: string | null = null
  for (const { kind, personId, fromPersonId } of events) {
    if (kind === 'moved') expect(fromPersonId).toBe(owner)
    if (kind === 'identified') expect(owner).toBeNull()
    owner = kind === 'untied' || kind === 'deleted' || kind === 'replaced' ? null : personId
  }
  return owner
}

test('one token for two people at once ends with one of them, and the timeline says how', async () => {
  for (const round of rounds) {
    const token = randomToken()
    const results = await Promise.all(
      ['a', 'b', 'c', 'd'].map((id) =>
        registry.registerElsewhere({ token, personId: `${id}${round}` }),
      ),
    )
    expect(results.map((result) => result.applied)).toEqual([true, true, true, true])
    const events = await registry.events(token)
    expect(events.map((event) => event.kind)).toEqual(['registered', 'moved', 'moved', 'moved'])
    expect((await registry.device(token))?.personId).toBe(ownerByTimeline(events))
  }
})

test('the newest of many calls wins, in whatever order they arrive', async () => {
  for (const _ of rounds) {
    const token = randomToken()
    const now = Date.now()
    const calls = Array.from({ length: 8 }, (_, n) => ({
      token,
      personId: `p${n}`,
      at: now - 1000 + n,
    }))
    calls.sort(() => Math.random() - 0.5)
    await Promise.all(calls.map(registry.registerElsewhere))
    expect((await registry.device(token))?.personId).toBe('p7')
  }
})

test('many tokens of one installation at once leave one', async () => {
  for (const round of rounds) {
    const tokens = Array.from({ length: 6 }, randomToken)
    const installationId = `race ${round}`
    await Promise.all(
      tokens.map((token) => registry.registerElsewhere({ token, installationId, personId: 'a' })),
    )
    const devices = await Promise.all(tokens.map(registry.device))
    expect(devices.filter((device) => device)).toHaveLength(1)
    const ends = await Promise.all(tokens.map((token) => registry.kinds(token)))
    expect(ends.filter((kinds) => kinds.at(-1) === 'replaced')).toHaveLength(5)
  }
})

test('a chain of previous tokens at once leaves no two heirs of one token', async () => {
  for (const _ of rounds) {
    const [first, second, third] = [randomToken(), randomToken(), randomToken()]
    await registry.register({ token: first, personId: 'a' })
    await Promise.all([
      registry.registerElsewhere({ token: second, previousToken: first }),
      registry.registerElsewhere({ token: third, previousToken: first }),
    ])
    const heirs = [await registry.device(second), await registry.device(third)]
    expect(heirs.map((device) => device?.personId ?? null).sort()).toEqual(['a', null])
  }
})

test('deleting a person while their devices register leaves no device without its person', async () => {
  for (const round of rounds) {
    const id = `racer ${round}`
    const name = { workspaceNo: registry.workspaceNo, id }
    const tokens = Array.from({ length: 6 }, randomToken)
    await registry.register({ token: tokens[0] ?? '', personId: id })
    await Promise.all([
      ...tokens.map((token) => registry.registerElsewhere({ token, personId: id })),
      deletePerson(registry.database, name),
      ...tokens.map((token) => registry.registerElsewhere({ token, personId: id })),
    ])
    for (const token of tokens) {
      const device = await registry.device(token)
      expect(device ? device.personId : id).toBe(id)
      expect(ownerByTimeline(await orphanless(token))).toBe(device ? id : null)
    }
  }
})

/** Events of a person who was deleted and came back have lost their name: they were the same id. */
async function orphanless(token: string) {
  const events = await registry.events(token)
  const last = events.at(-1)
  return last ? [last] : []
}

test('registering, untying and deleting one token at once neither fails nor contradicts itself', async () => {
  const { appNo, database } = registry
  for (const _ of rounds) {
    const token = randomToken()
    await registry.register({ token, personId: 'a' })
    const change = { appNo, token, at: null, personId: null }
    await Promise.all([
      registry.registerElsewhere({ token, personId: 'b' }),
      untieDevice(database, change),
      deleteDevice(database, change),
      registry.registerElsewhere({ token, personId: 'c' }),
    ])
    const device = await registry.device(token)
    expect(ownerByTimeline(await registry.events(token))).toBe(device?.personId ?? null)
  }
})

test('batches over the same devices in any order do not fail', async () => {
  const tokens = Array.from({ length: 40 }, randomToken)
  const calls = Array.from({ length: 600 }, (_, n) => ({
    token: tokens[(n * 7) % 40] ?? '',
    personId: `p${n % 11}`,
    installationId: n % 3 === 0 ? `i${n % 5}` : null,
  }))
  const results = await Promise.all(
    calls.map((call, n) => (n % 2 ? registry.register(call) : registry.registerElsewhere(call))),
  )
  expect(results.every((result) => result.applied)).toBe(true)
})

const danglingCount = `select count(*)::int as n from devices d where person_no is not null
  and not exists (select from people p where p.person_no = d.person_no)`

test('a token that takes over a person who is being deleted is not left with nobody', async () => {
  const { database, appNo, workspaceNo } = registry
  const [before, after] = [randomToken(), randomToken()]
  await registry.register({ token: before, personId: 'heir' })
  await inTransaction(database, async (sql) => {
    await sql.query('select from devices where app_no = $1 and token = $2 for update', [
      appNo,
      before,
    ])
    // The new token waits for the old one first, then the deletion, which holds the person.
    const registering = registry.registerElsewhere({ token: after, previousToken: before })
    await registry.waiting(1)
    const deleting = deletePerson(database, { workspaceNo, id: 'heir' })
    await registry.waiting(2)
    return { registering, deleting }
  }).then(({ registering, deleting }) => Promise.all([registering, deleting]))
  const { rows } = await database.query<{ n: number }>(danglingCount)
  expect(rows[0]?.n).toBe(0)
  expect((await registry.device(after))?.personId ?? null).toBeNull()
})

test('a new token is not tied to a person who is deleted while it waits for them', async () => {
  const { database, workspaceNo } = registry
  await registry.register({ token: randomToken(), personId: 'short-lived' })
  const token = randomToken()
  // With a time of its own it may be late, so that it adds nobody.
  const call = registry.complete({ token, personId: 'short-lived', at: Date.now() })
  const registering = await inTransaction(database, async (sql) => {
    await deletePersonIn(sql, { workspaceNo, id: 'short-lived' })
    const waits = registerNew(database, [itemOf(call)])
    await registry.waiting(1)
    return { waits }
  })
  expect(await registering.waits).toEqual([null])
  expect(await registry.device(token)).toBeNull()
  const { rows } = await database.query(`select from people where id = 'short-lived'`)
  expect(rows).toHaveLength(0)
})
