import { afterAll, beforeAll, expect, test } from 'vitest'
import { deleteDevice, deletePerson, findPerson, untieDevice } from '../src/index.ts'
import { changeOf, createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>

beforeAll(async () => {
  registry = await createRegistry()
})

afterAll(() => registry[Symbol.asyncDispose]())

const minute = 60_000

test('a first registration creates the device, its person and one event', async () => {
  const token = randomToken()
  const result = await registry.register({
    token,
    personId: 'first',
    environment: 'sandbox',
    installationId: 'first-installation',
    lastUsed: 123,
    change: changeOf({ device_os: 17, plan: { a: [1] } }),
  })
  expect(result).toEqual({
    applied: true,
    device: {
      appNo: registry.appNo,
      platform: 'ios',
      lastUsed: 123,
      personId: 'first',
      environment: 'sandbox',
      installationId: 'first-installation',
      registeredAt: expect.any(Date),
      attributes: { device_os: '17', plan: { a: [1] } },
      lastStatus: '',
      pushEnabled: true,
    },
  })
  expect(await registry.device(token)).toEqual(result.device)
  expect(await registry.events(token)).toMatchObject([{ kind: 'registered', personId: 'first' }])
})

test('a refresh writes no event; last_used is now where the call does not say', async () => {
  const token = randomToken()
  await registry.register({ token, lastUsed: 1 })
  const { device } = await registry.register({ token })
  expect(Math.abs((device?.lastUsed ?? 0) - Date.now() / 1000)).toBeLessThan(10)
  expect(await registry.kinds(token)).toEqual(['registered'])
})

test('the two spellings of a hex token are one device', async () => {
  const token = randomToken()
  await registry.register({ token, personId: 'speller' })
  const { device } = await registry.register({ token: token.toUpperCase() })
  expect(device?.personId).toBe('speller')
})

test('registering for another person moves the token; for nobody in particular it stays', async () => {
  const token = randomToken()
  const change = changeOf({ theme: 'dark' })
  await registry.register({ token })
  await registry.register({ token, personId: 'a', change })
  await registry.register({ token })
  const { device } = await registry.register({ token, personId: 'b' })
  expect(device).toMatchObject({ personId: 'b', attributes: {} })
  expect(await registry.events(token)).toMatchObject([
    { kind: 'registered', personId: null },
    { kind: 'identified', personId: 'a' },
    { kind: 'moved', personId: 'b', fromPersonId: 'a' },
  ])
})

test('attributes merge by top-level key, null and "" remove, the rest stays (R8)', async () => {
  const token = randomToken()
  await registry.register({ token, change: changeOf({ a: { x: 1 }, b: 2, c: 3, d: null }) })
  const { device } = await registry.register({
    token,
    change: changeOf({ a: { y: null }, b: null, c: '', e: [null] }),
  })
  expect(device?.attributes).toEqual({ a: { y: null }, e: [null] })
})

test('the permission is as reported, and given where nothing is said', async () => {
  const token = randomToken()
  const denied = await registry.register({ token, change: changeOf({ push_enabled: 'false' }) })
  expect(denied.device?.pushEnabled).toBe(false)
  expect((await registry.register({ token })).device?.pushEnabled).toBe(true)
  await registry.register({ token, change: changeOf({ push_enabled: false }) })
  expect(await registry.kinds(token)).toEqual(['registered', 'push_enabled', 'push_disabled'])
})

test('a dead or failing token lives again when it registers', async () => {
  const token = randomToken()
  await registry.register({ token })
  await registry.database.query(
    `update devices set dead_at = now(), dead_reason = 'x', last_status = 'bounced', failures = 1`,
  )
  expect(await registry.device(token)).toMatchObject({ pushEnabled: false, lastStatus: 'bounced' })
  const { device } = await registry.register({ token })
  expect(device).toMatchObject({ pushEnabled: true, lastStatus: '' })
  expect(await registry.kinds(token)).toEqual(['registered', 're_registered'])
  const { rows } = await registry.database.query(
    `select epoch, failures, dead_reason from devices where token = $1`,
    [token],
  )
  expect(rows).toEqual([{ epoch: 2, failures: 0, dead_reason: null }])
})

test('an older call loses against a newer one, a call of the same time does not (R1)', async () => {
  const token = randomToken()
  const now = Date.now()
  await registry.register({ token, personId: 'a', at: now - minute })
  const older = await registry.register({ token, personId: 'b', at: now - minute - 1 })
  expect(older).toMatchObject({ applied: false, device: { personId: 'a' } })
  const same = await registry.register({ token, personId: 'b', at: now - minute })
  expect(same).toMatchObject({ applied: true, device: { personId: 'b' } })
})

test('a late call creates no person', async () => {
  const token = randomToken()
  await registry.register({ token })
  await registry.register({ token, personId: 'late person', at: Date.now() - minute })
  expect(await findPerson(registry.database, { ...registry, id: 'late person' })).toBeNull()
})

test("a client's clock that runs ahead does not lock the others out", async () => {
  const token = randomToken()
  await registry.register({ token, personId: 'a', at: Date.now() + 1000 * minute })
  await new Promise((resolve) => setTimeout(resolve, 5))
  const next = await registry.register({ token, personId: 'b', at: Date.now() + 1 })
  expect(next).toMatchObject({ applied: true, device: { personId: 'b' } })
})

test('a logout that arrives late does not untie the next person', async () => {
  const token = randomToken()
  const { appNo, database } = registry
  const now = Date.now()
  await registry.register({ token, personId: 'a', at: now - 3 * minute })
  await registry.register({ token, personId: 'b', at: now - minute })
  const late = { appNo, token, at: now - 2 * minute, personId: null }
  const untied = await untieDevice(database, late)
  expect(untied).toMatchObject({ kind: 'found', applied: false, device: { personId: 'b' } })
  const deleted = await deleteDevice(database, late)
  expect(deleted).toMatchObject({ kind: 'found', applied: false })
  expect(await registry.device(token)).toMatchObject({ personId: 'b' })
})

test('a logout that names its person does not untie another, whenever it comes', async () => {
  const token = randomToken()
  const { appNo, database } = registry
  await registry.register({ token, personId: 'b' })
  const logout = { appNo, token, at: null }
  const other = await untieDevice(database, { ...logout, personId: 'a' })
  expect(other).toMatchObject({ applied: false, device: { personId: 'b' } })
  const own = await untieDevice(database, { ...logout, personId: 'b' })
  expect(own).toMatchObject({ applied: true, device: { personId: null } })
  const again = await untieDevice(database, { ...logout, personId: 'b' })
  expect(again).toMatchObject({ applied: true })
  expect(await registry.kinds(token)).toEqual(['registered', 'untied'])
})

test('a logout overtakes an older login', async () => {
  const token = randomToken()
  const { appNo, database } = registry
  const now = Date.now()
  await registry.register({ token, at: now - 3 * minute })
  await untieDevice(database, { appNo, token, at: now - minute, personId: 'a' })
  const login = await registry.register({ token, personId: 'a', at: now - 2 * minute })
  expect(login).toMatchObject({ applied: false, device: { personId: null } })
})

test('a deleted token is a tombstone: an older batch does not revive it, a newer call does', async () => {
  const token = randomToken()
  const { appNo, database } = registry
  const now = Date.now()
  await registry.register({
    token,
    personId: 'gone',
    installationId: 'tombstone',
    at: now - 3 * minute,
    change: changeOf({ a: 1 }),
  })
  await deleteDevice(database, { appNo, token, at: now - minute, personId: 'gone' })
  expect(await registry.device(token)).toBeNull()
  const { rows } = await database.query(
    `select token, attributes, installation_id, person_no, deleted_at is not null as deleted
     from devices where app_no = $1 and ordered_at = to_timestamp($2::float8 / 1000)`,
    [appNo, now - minute],
  )
  expect(rows).toEqual([
    { token: null, attributes: {}, installation_id: null, person_no: null, deleted: true },
  ])
  const old = await registry.register({ token, personId: 'gone', at: now - 2 * minute })
  expect(old).toEqual({ applied: false, device: null })
  const anew = await registry.register({ token, at: now })
  expect(anew).toMatchObject({ applied: true, device: { personId: null, attributes: {} } })
  expect(await registry.kinds(token)).toEqual(['registered', 'deleted', 're_registered'])
})

test('deleting names person and token: another person cannot delete it', async () => {
  const token = randomToken()
  const { appNo, database } = registry
  await registry.register({ token, personId: 'owner' })
  const call = { appNo, token, at: null }
  expect(await deleteDevice(database, { ...call, personId: 'other' })).toEqual({ kind: 'unknown' })
  expect(await deleteDevice(database, { ...call, personId: 'owner' })).toMatchObject({
    applied: true,
  })
  expect(await deleteDevice(database, { ...call, personId: null })).toEqual({ kind: 'unknown' })
})

test('deleting a person makes tombstones of their devices', async () => {
  const tokens = [randomToken(), randomToken()]
  for (const token of tokens) await registry.register({ token, personId: 'forgotten' })
  const name = { workspaceNo: registry.workspaceNo, id: 'forgotten' }
  expect(await deletePerson(registry.database, name)).toBe(true)
  expect(await deletePerson(registry.database, name)).toBe(false)
  for (const token of tokens) {
    expect(await registry.device(token)).toBeNull()
    expect(await registry.kinds(token)).toEqual(['registered', 'deleted'])
  }
})
