import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newPhone, newToken, type Registry, startRegistry } from './registry.ts'

let registry: Registry

beforeAll(async () => {
  registry = await startRegistry()
})

afterAll(() => registry[Symbol.asyncDispose]())

let count = 0
const newId = (name: string) => `${name}-${++count}`

/** Sends until nothing waits any more. */
async function sendAll({ client }: { client: { flush(): Promise<void> } }): Promise<void> {
  registry.network.state = 'up'
  // A try that was under way may still fail.
  for (let tries = 0; tries < 3; tries += 1) await client.flush()
}

test('what is called without a network arrives when there is one, whole and in order', async () => {
  const phone = newPhone(registry)
  const [token, ana] = [newToken(), newId('ana')]
  registry.network.state = 'cut'
  await phone.client.registerDeviceToken(token)
  await phone.client.identify(ana, { a: 1 })
  const names = Array.from({ length: 130 }, (_, n) => `e${n}`)
  for (const name of names) await phone.client.track(name)
  await phone.client.setProfileAttributes({ a: 2 })
  await phone.relaunch()
  await phone.client.flush()
  expect(await registry.person(ana)).toBeNull()
  await sendAll(phone)
  expect((await registry.person(ana)).attributes).toEqual({ a: 2 })
  expect(await registry.device(token)).toMatchObject({ person_id: ana })
  // The page has a hundred, from the latest on.
  expect(await registry.events(ana)).toEqual(names.slice(-100))
  expect(phone.errors).toEqual([])
})

test('what the registry heard and could not answer counts once', async () => {
  const phone = newPhone(registry)
  const ana = newId('ana')
  registry.network.state = 'deaf'
  const before = registry.network.requests
  await phone.client.identify(ana)
  for (const name of ['a', 'b', 'c']) {
    await phone.client.track(name)
    await phone.client.flush()
    await phone.client.flush()
  }
  expect(registry.network.requests - before).toBeGreaterThan(4)
  expect(await registry.events(ana)).toEqual(['a', 'b', 'c'])
  await sendAll(phone)
  expect(await registry.events(ana)).toEqual(['a', 'b', 'c'])
})

test('a logout without a network unties the phone when it is back, and no later than the next login', async () => {
  const phone = newPhone(registry)
  const [token, ana, ben] = [newToken(), newId('ana'), newId('ben')]
  await phone.client.registerDeviceToken(token)
  await phone.client.identify(ana)
  await phone.client.flush()
  registry.network.state = 'cut'
  await phone.client.clearIdentify()
  await phone.relaunch()
  expect(await registry.device(token)).toMatchObject({ person_id: ana })
  await sendAll(phone)
  expect(await registry.device(token)).toMatchObject({ person_id: null })
  await phone.client.identify(ben)
  await phone.client.flush()
  expect(await registry.device(token)).toMatchObject({ person_id: ben })
})

test('two phones of one person, one with an old queue: each keeps its token', async () => {
  const [one, other] = [newPhone(registry), newPhone(registry)]
  const [first, second, ana] = [newToken(), newToken(), newId('ana')]
  await one.client.registerDeviceToken(first)
  await one.client.identify(ana, { city: 'Rome' })
  await other.client.registerDeviceToken(second)
  // Of two words of one millisecond neither is the later.
  await sleep(5)
  await other.client.identify(ana, { city: 'Oslo' })
  await other.client.flush()
  await one.client.flush()
  const { devices, attributes } = await registry.person(ana)
  expect(devices.map(({ id }: { id: string }) => id).sort()).toEqual([first, second].sort())
  // The latest word, and not the latest to arrive.
  expect(attributes).toEqual({ city: 'Oslo' })
})

type Deed =
  | { kind: 'identify'; who: number }
  | { kind: 'clear' | 'track' | 'token' | 'profile' | 'device' | 'relaunch' | 'flush' }
  | { kind: 'network'; state: 'up' | 'cut' | 'deaf' }

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('identify'), who: fc.nat(1) }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'track' }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('clear', 'token', 'profile', 'device', 'relaunch', 'flush'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('network'),
      state: fc.constantFrom('up', 'cut', 'deaf'),
    }),
  },
) as fc.Arbitrary<Deed>

test('two people on one phone, whatever the network does: everything is whose it was when it happened', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 30 }), async (deeds) => {
      const people = [newId('ana'), newId('ben')]
      const phone = newPhone(registry)
      const events = new Map<string, string[]>(people.map((id) => [id, []]))
      const profiles = new Map<string, object>()
      let person: string | null = null
      let ofNobody: string[] = []
      let ofNobodysProfile = {}
      let token: string | null = null
      let attributes = {}
      registry.network.state = 'up'
      for (const [number, one] of deeds.entries()) {
        const name = `n${number}`
        switch (one.kind) {
          case 'identify': {
            const id = people[one.who] ?? ''
            await phone.client.identify(id)
            if (person === null) {
              events.get(id)?.push(...ofNobody)
              profiles.set(id, { ...profiles.get(id), ...ofNobodysProfile })
            } else {
              profiles.set(id, { ...profiles.get(id) })
            }
            ofNobody = []
            ofNobodysProfile = {}
            person = id
            break
          }
          case 'clear':
            await phone.client.clearIdentify()
            if (person !== null) ofNobody = []
            ofNobodysProfile = {}
            person = null
            break
          case 'track':
            await phone.client.track(name)
            if (person === null) ofNobody.push(name)
            else events.get(person)?.push(name)
            break
          case 'profile':
            await phone.client.setProfileAttributes({ [name]: number })
            if (person === null) ofNobodysProfile = { ...ofNobodysProfile, [name]: number }
            else profiles.set(person, { ...profiles.get(person), [name]: number })
            break
          case 'token':
            token = newToken()
            await phone.client.registerDeviceToken(token)
            break
          case 'device':
            await phone.client.setDeviceAttributes({ [name]: number })
            attributes = { ...attributes, [name]: number }
            break
          case 'relaunch':
            await phone.relaunch()
            break
          case 'flush':
            await phone.client.flush()
            break
          case 'network':
            registry.network.state = one.state
        }
      }
      await sendAll(phone)
      for (const id of people) {
        expect(await registry.events(id)).toEqual(events.get(id))
        const stored = await registry.person(id)
        expect(stored?.attributes).toEqual(profiles.get(id))
      }
      if (token !== null) {
        const device = await registry.device(token)
        expect(device).toMatchObject({ person_id: person, attributes })
      }
      expect(phone.errors).toEqual([])
      await phone.client.close()
    }),
    { numRuns: Number(process.env.SDK_RUNS ?? 25), endOnFailure: true },
  )
}, 120_000)
