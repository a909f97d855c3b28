import { describe, expect, test } from 'vitest'
import { type Client, type ClientOptions, createClient } from '../src/core/index.ts'
import { FakeServer } from './fake-server.ts'
import { phone } from './harness.ts'
import { type MortalStore, mortalStore, never } from './mortal-store.ts'
import { ManualTime } from './time.ts'

/** A day in the life of a phone: two people, two tokens, a logout. Steps that an app waits for. */
const steps: ((client: Client) => Promise<unknown>)[] = [
  (client) => client.track('before anybody'),
  (client) => client.setDeviceAttributes({ theme: 'dark' }),
  (client) => client.registerDeviceToken('T1'),
  (client) => client.identify('ana', { plan: 'pro' }),
  (client) => client.track('of ana'),
  (client) => client.flush(),
  ...Array.from({ length: 25 }, (_, n) => (client: Client) => client.track(`of ana ${n}`)),
  (client) => client.registerDeviceToken('T2'),
  (client) => client.setProfileAttributes({ plan: null, city: 'Rome' }),
  (client) => client.flush(),
  (client) => client.identify('ben', { plan: 'free' }),
  (client) => client.track('of ben'),
  (client) => client.setDeviceAttributes({ theme: 'light' }),
  (client) => client.clearIdentify(),
  (client) => client.track('of nobody'),
  (client) => client.flush(),
  (client) => client.deleteDeviceToken(),
  (client) => client.registerDeviceToken('T3'),
  (client) => client.identify('cem'),
  (client) => client.flush(),
]

interface World {
  server: FakeServer
  /** Nothing should ever go wrong. */
  errors: string[]
  time: ManualTime
  options(store: MortalStore): ClientOptions
}

function newWorld(): World {
  const server = new FakeServer()
  const time = new ManualTime()
  server.now = time.now
  const errors: string[] = []
  let ids = 0
  return {
    ...{ server, time, errors },
    options: (store) => ({
      cdpApiKey: 'pk_test',
      apiHost: 'push.example.com',
      store,
      device: phone,
      onError: ({ message }) => errors.push(message),
      engine: {
        fetch: async (...call) => {
          if (store.isDead) return never()
          const answer = await server.fetch(...call)
          return store.isDead ? never() : answer
        },
        now: time.now,
        setTimer: time.setTimer,
        clearTimer: time.clearTimer,
        random: () => 0.5,
        newId: () => `id-${++ids}`,
      },
    }),
  }
}

/** Runs the steps until the process dies; how many it got an answer to. */
async function live(client: Client, store: MortalStore): Promise<number> {
  let acknowledged = 0
  for (const step of steps) {
    const isAlive = await Promise.race([
      step(client).then(() => true),
      store.died.then(() => false),
    ])
    if (!isAlive) break
    acknowledged += 1
  }
  return acknowledged
}

/** What the server has after the first `count` steps, if nothing ever dies. */
async function expectedAfter(count: number) {
  const world = newWorld()
  const store = mortalStore(new Map(), Number.POSITIVE_INFINITY, 'after')
  const client = createClient(world.options(store))
  for (const step of steps.slice(0, count)) await step(client)
  return probe(client, world)
}

/** Sends what waits, and one more event: it shows whom the phone believes to be there. */
async function probe(client: Client, world: World): Promise<string> {
  await client.track('probe')
  await client.flush()
  await client.close()
  return normal(world.server)
}

/** What is stored, the ids of nobody by their order. */
function normal(server: FakeServer) {
  const stored = server.stored()
  const names = new Map<string, string>()
  const events = stored.events.map(([name, owner = '']) => {
    if (!owner.startsWith('id-')) return [name, owner]
    const known = names.get(owner) ?? `nobody ${names.size}`
    names.set(owner, known)
    return [name, known]
  })
  return JSON.stringify({ ...stored, events })
}

async function countSteps(): Promise<number> {
  const world = newWorld()
  const store = mortalStore(new Map(), Number.POSITIVE_INFINITY, 'after')
  const client = createClient(world.options(store))
  await live(client, store)
  await client.close()
  return store.steps
}

describe('a phone that dies at any write', () => {
  test('loses no call that was answered, doubles none, and ends as if it had not died', async () => {
    const expected = await Promise.all(steps.map((_, n) => expectedAfter(n)))
    expected.push(await expectedAfter(steps.length))
    const total = await countSteps()
    expect(total).toBeGreaterThan(40)
    for (let at = 1; at <= total; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const world = newWorld()
        const map = new Map<string, string>()
        const dying = mortalStore(map, at, when)
        const acknowledged = await live(createClient(world.options(dying)), dying)
        const store = mortalStore(map, Number.POSITIVE_INFINITY, 'after')
        const client = createClient(world.options(store))
        const stored = await probe(client, world)
        const where = `dies ${when} write ${at}, after ${acknowledged} steps`
        // The step during which it died was called, and may count.
        const allowed = [expected[acknowledged], expected[acknowledged + 1]]
        expect(allowed, where).toContain(stored)
        expect(world.errors, where).toEqual([])
        expect([...map.keys()].length, where).toBeLessThan(3)
      }
    }
  }, 120_000)

  test('and again while it recovers', async () => {
    const expected = await Promise.all(steps.map((_, n) => expectedAfter(n)))
    expected.push(await expectedAfter(steps.length))
    const total = await countSteps()
    for (let at = 1; at <= total; at += 3) {
      for (let again = 1; again <= 6; again += 1) {
        const world = newWorld()
        const map = new Map<string, string>()
        const first = mortalStore(map, at, 'after')
        const acknowledged = await live(createClient(world.options(first)), first)
        const second = mortalStore(map, again, again % 2 ? 'before' : 'after')
        await Promise.race([createClient(world.options(second)).flush(), second.died])
        second.isDead = true
        const store = mortalStore(map, Number.POSITIVE_INFINITY, 'after')
        const client = createClient(world.options(store))
        const stored = await probe(client, world)
        const where = `dies at write ${at}, then ${again}, after ${acknowledged} steps`
        expect([expected[acknowledged], expected[acknowledged + 1]], where).toContain(stored)
      }
    }
  }, 120_000)
})

describe('a store that fails', () => {
  test('is told, and calls go on in memory', async () => {
    const world = newWorld()
    const errors: string[] = []
    let isBroken = true
    const map = new Map<string, string>()
    const store = mortalStore(map, Number.POSITIVE_INFINITY, 'after')
    const { setItem } = store
    store.setItem = (key, value) => {
      if (isBroken) throw new Error('disk full')
      return setItem(key, value)
    }
    const client = createClient({
      ...world.options(store),
      onError: ({ kind }) => errors.push(kind),
    })
    await client.identify('ana')
    await client.track('x')
    expect(new Set(errors)).toEqual(new Set(['storage']))
    isBroken = false
    // What comes next takes along what could not be written.
    await client.track('y')
    const next = createClient(world.options(mortalStore(map, Number.POSITIVE_INFINITY, 'after')))
    await next.flush()
    expect(world.server.stored().events).toEqual([
      ['x', 'ana'],
      ['y', 'ana'],
    ])
  })

  test('that cannot be read is not written to: what it has is for the next launch', async () => {
    const world = newWorld()
    const map = new Map<string, string>()
    const whole = () => mortalStore(map, Number.POSITIVE_INFINITY, 'after')
    const first = createClient(world.options(whole()))
    await first.identify('ana')
    await first.track('x')
    await first.close()
    const before = JSON.stringify([...map])
    const unreadable = whole()
    unreadable.getItem = async () => {
      throw new Error('locked')
    }
    const errors: string[] = []
    const second = createClient({
      ...world.options(unreadable),
      onError: ({ kind }) => errors.push(kind),
    })
    await second.track('y')
    await second.flush()
    expect(errors).toEqual(['storage'])
    expect(JSON.stringify([...map])).toBe(before)
    const third = createClient(world.options(whole()))
    await third.flush()
    expect(world.server.stored().events).toContainEqual(['x', 'ana'])
  })

  test('a part that was torn costs its own calls alone, and is told', async () => {
    const world = newWorld()
    const map = new Map<string, string>()
    const store = mortalStore(map, Number.POSITIVE_INFINITY, 'after')
    const first = createClient(world.options(store))
    for (let n = 0; n < 50; n += 1) await first.track(`e${n}`)
    await first.close()
    const keys = [...map.keys()].sort()
    expect(keys).toEqual(['pushkeep.0', 'pushkeep.1', 'pushkeep.2'])
    map.set('pushkeep.1', '{"state":{"installa')
    const errors: string[] = []
    const second = createClient({
      ...world.options(store),
      onError: ({ message }) => errors.push(message),
    })
    await second.flush()
    expect(errors).toEqual(['pushkeep.1 cannot be read: what it held is lost'])
    expect(world.server.events.map(({ name }) => name)).toEqual(
      [...Array(50).keys()].filter((n) => n < 20 || n >= 40).map((n) => `e${n}`),
    )
  })
})
