import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createIdentifier,
  devicesOfPerson,
  findPerson,
  suppressPerson,
  unsuppressPerson,
} from '../src/index.ts'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
let identify: ReturnType<typeof createIdentifier>

beforeAll(async () => {
  registry = await createRegistry()
  identify = createIdentifier(registry.database)
})

afterAll(() => registry[Symbol.asyncDispose]())

const nameOf = (id: string) => ({ workspaceNo: registry.workspaceNo, id })

test('identifying adds a person, then merges by top-level key (R8)', async () => {
  const name = nameOf('merge')
  const first = await identify({ ...name, attributes: { a: { x: 1, y: 2 }, b: 1, c: '' } })
  expect(first).toMatchObject({ id: 'merge', attributes: { a: { x: 1, y: 2 }, b: 1 } })
  const second = await identify({ ...name, attributes: { a: { x: null }, b: null, d: 0 } })
  expect(second.attributes).toEqual({ a: { x: null }, d: 0 })
  const third = await identify({ ...name, attributes: {} })
  expect(third.attributes).toEqual(second.attributes)
  expect(await findPerson(registry.database, name)).toEqual(third)
})

test('concurrent merges into one person all count', async () => {
  const name = nameOf('many')
  await Promise.all(
    Array.from({ length: 100 }, (_, n) => {
      const identifyHere = n % 2 ? identify : createIdentifier(registry.database)
      return identifyHere({ ...name, attributes: { [`k${n}`]: n } })
    }),
  )
  const person = await findPerson(registry.database, name)
  expect(Object.keys(person?.attributes ?? {})).toHaveLength(100)
})

test('ids are told apart by every letter', async () => {
  const ids = ['Zoë', 'zoë', 'Zoe\u0308', 'zoë ', '用户/1', '🙂']
  await Promise.all(ids.map((id) => identify({ ...nameOf(id), attributes: { id } })))
  for (const id of ids) {
    expect((await findPerson(registry.database, nameOf(id)))?.attributes).toEqual({ id })
  }
})

test('a suppressed person stays suppressed when identified, also one who was unknown', async () => {
  const name = nameOf('suppressed')
  expect(await suppressPerson(registry.database, name)).toMatchObject({ suppressed: true })
  expect(await identify({ ...name, attributes: {} })).toMatchObject({ suppressed: true })
  expect(await unsuppressPerson(registry.database, name)).toMatchObject({ suppressed: false })
  expect(await unsuppressPerson(registry.database, nameOf('nobody'))).toBeNull()
})

test("a person's devices come with the one used last first", async () => {
  const tokens = [randomToken(), randomToken(), randomToken()]
  for (const [n, token] of tokens.entries()) {
    await registry.register({ token, personId: 'owner', lastUsed: (n * 2) % 3 })
  }
  const devices = await devicesOfPerson(registry.database, {
    ...nameOf('owner'),
    appNo: null,
  })
  expect(devices.map((device) => device.token)).toEqual([tokens[1], tokens[2], tokens[0]])
})
