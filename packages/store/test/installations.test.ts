import { afterAll, beforeAll, expect, test } from 'vitest'
import { changeOf, createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>

beforeAll(async () => {
  registry = await createRegistry()
})

afterAll(() => registry[Symbol.asyncDispose]())

const minute = 60_000

test.each([
  ['the same installation', (_: string) => ({ installationId: 'one' })],
  ['previous_token', (token: string) => ({ previousToken: token })],
])('%s retires the token before, and what it knew lives on', async (_name, next) => {
  const [before, after] = [randomToken(), randomToken()]
  await registry.register({
    token: before,
    personId: 'a',
    installationId: 'one',
    environment: 'sandbox',
    change: changeOf({ kept: 1, changed: 1, removed: 1 }),
  })
  const { device } = await registry.register({
    token: after,
    ...next(before),
    change: changeOf({ changed: 2, removed: null }),
  })
  expect(device).toMatchObject({
    personId: 'a',
    installationId: 'one',
    environment: 'sandbox',
    attributes: { kept: 1, changed: 2 },
  })
  expect(await registry.device(before)).toBeNull()
  expect(await registry.kinds(before)).toEqual(['registered', 'replaced'])
  expect(await registry.kinds(after)).toEqual(['registered'])
})

test('a call that names a person wins over what it replaces', async () => {
  const [before, after] = [randomToken(), randomToken()]
  await registry.register({ token: before, personId: 'a' })
  const { device } = await registry.register({
    token: after,
    previousToken: before,
    personId: 'b',
  })
  expect(device?.personId).toBe('b')
})

test('the installation of one token and the previous token of a call are both retired', async () => {
  const [first, second, third] = [randomToken(), randomToken(), randomToken()]
  await registry.register({ token: first, installationId: 'both' })
  await registry.register({ token: second })
  await registry.register({ token: third, installationId: 'both', previousToken: second })
  expect(await registry.device(first)).toBeNull()
  expect(await registry.device(second)).toBeNull()
  expect(await registry.device(third)).toMatchObject({ installationId: 'both' })
})

test('naming itself as the previous token retires nothing', async () => {
  const token = randomToken()
  await registry.register({ token, personId: 'a' })
  await registry.register({ token, previousToken: token.toUpperCase() })
  expect(await registry.device(token)).toMatchObject({ personId: 'a' })
})

test('an old token that comes after the new one of its installation is late', async () => {
  const [before, after] = [randomToken(), randomToken()]
  const now = Date.now()
  const installationId = 'late installation'
  await registry.register({ token: after, installationId, at: now - minute })
  const late = await registry.register({ token: before, installationId, at: now - 2 * minute })
  expect(late).toEqual({ applied: false, device: null })
  expect(await registry.device(after)).not.toBeNull()
})

test('a late registration does not revive a replaced token', async () => {
  const [before, after] = [randomToken(), randomToken()]
  const now = Date.now()
  await registry.register({ token: before, at: now - 3 * minute })
  await registry.register({ token: after, previousToken: before, at: now - minute })
  const late = await registry.register({ token: before, at: now - 2 * minute })
  expect(late).toEqual({ applied: false, device: null })
})

test('a token may come back to its installation', async () => {
  const [one, other] = [randomToken(), randomToken()]
  const installationId = 'back and forth'
  for (const token of [one, other, one]) {
    await registry.register({ token, installationId, personId: 'a' })
  }
  expect(await registry.device(one)).toMatchObject({ personId: 'a' })
  expect(await registry.device(other)).toBeNull()
  expect(await registry.kinds(one)).toEqual(['registered', 'replaced', 're_registered'])
})

test('what one call replaces and another of the same batch registers, both happens', async () => {
  const [before, after] = [randomToken(), randomToken()]
  await registry.register({ token: before, installationId: 'swap', personId: 'a' })
  const [replacing, again] = await Promise.all([
    registry.register({ token: after, installationId: 'swap' }),
    registry.register({ token: before }),
  ])
  expect(replacing).toMatchObject({ applied: true })
  expect(again).toMatchObject({ applied: true })
  expect(await registry.device(after)).toMatchObject({ installationId: 'swap', personId: 'a' })
  expect(await registry.device(before)).not.toBeNull()
})
