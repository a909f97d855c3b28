import { createApp } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
let call: typeof registry.call

beforeAll(async () => {
  registry = await createRegistry()
  call = registry.call
})

afterAll(() => registry[Symbol.asyncDispose]())

const nowSeconds = () => Date.now() / 1000
const fcmToken = `dGVzdC1pbnN0YW5jZQ:APA91b${'x'.repeat(134)}`

test('a device reads back flat, as it was registered', async () => {
  const token = randomToken()
  const registered = await call('PUT', `/v1/devices/${token}`, {
    platform: 'iOS',
    person_id: 'dana',
    last_used: 1_700_000_000,
    environment: 'sandbox',
    installation_id: 'installation',
    attributes: {
      _last_status: 'sent',
      push_enabled: true,
      app_version: 12,
      device_os: '17.4',
      theme: { dark: true },
      gone: null,
    },
  })
  const device = {
    id: token,
    platform: 'ios',
    last_used: 1_700_000_000,
    app_id: registry.appId,
    person_id: 'dana',
    environment: 'sandbox',
    installation_id: 'installation',
    registered_at: expect.stringMatching(/^\d{4}-.*Z$/),
    attributes: {
      _last_status: '',
      push_enabled: 'true',
      app_version: '12',
      device_os: '17.4',
      theme: { dark: true },
    },
  }
  expect(registered).toMatchObject({ status: 200, body: { ...device, applied: true } })
  const read = await call('GET', `/v1/devices/${token}`)
  expect(read).toMatchObject({ status: 200 })
  expect(read.body).toEqual(device)
})

test('what is not said reads back as null, and last_used as the time of the request', async () => {
  const token = randomToken()
  await call('PUT', `/v1/devices/${token}`, { platform: 'android' })
  const { body } = await call('GET', `/v1/devices/${token}`)
  expect(body).toMatchObject({ person_id: null, environment: null, installation_id: null })
  expect(body.attributes).toEqual({ _last_status: '', push_enabled: 'true' })
  expect(Math.abs(body.last_used - nowSeconds())).toBeLessThan(10)
})

test.each([
  ['a hex token on ios', 'ios', randomToken()],
  ['an FCM token on android', 'android', fcmToken],
  ['an FCM token on ios', 'ios', `${fcmToken}y`],
  ['last_used as text', 'IOS', randomToken()],
])('accepts %s', async (_name, platform, token) => {
  const body = { platform, last_used: '1700000000' }
  expect(await call('PUT', `/v1/devices/${token}`, body)).toMatchObject({ status: 200 })
  expect(await call('GET', `/v1/devices/${encodeURIComponent(token)}`)).toMatchObject({
    body: { id: token, last_used: 1_700_000_000 },
  })
})

test('the person route and the device route are the same command', async () => {
  const token = randomToken()
  const first = await call('PUT', '/v1/people/a/devices', {
    device: { id: token, platform: 'ios', attributes: { a: 1, b: 1 } },
  })
  expect(first).toMatchObject({ status: 200, body: { id: token, person_id: 'a', applied: true } })
  const attributes = { a: '', c: 3 }
  const second = await call('PUT', `/v1/devices/${token}`, { platform: 'ios', attributes })
  expect(second.body).toMatchObject({ person_id: 'a' })
  expect(second.body.attributes).toEqual({ _last_status: '', push_enabled: 'true', b: 1, c: 3 })
  const third = await call('PUT', '/v1/people/b/devices', {
    device: { id: token, platform: 'ios' },
  })
  expect(third.body).toMatchObject({ person_id: 'b', attributes: { b: 1, c: 3 } })
})

test('a late registration changes nothing and says so', async () => {
  const token = randomToken()
  const body = { platform: 'ios', person_id: 'a', timestamp: nowSeconds() - 10 }
  await call('PUT', `/v1/devices/${token}`, body)
  const timestamp = new Date(Date.now() - 60_000).toISOString()
  const late = await call('PUT', `/v1/devices/${token}`, { ...body, person_id: 'b', timestamp })
  expect(late).toMatchObject({ status: 200, body: { applied: false, person_id: 'a' } })
})

test('a late registration of a deleted token says that it is gone', async () => {
  const token = randomToken()
  await call('PUT', `/v1/devices/${token}`, { platform: 'ios' })
  expect(await call('DELETE', `/v1/devices/${token}`)).toMatchObject({ status: 204, body: '' })
  const timestamp = nowSeconds() - 60
  const late = await call('PUT', `/v1/devices/${token}`, { platform: 'ios', timestamp })
  expect(late.status).toBe(200)
  expect(late.body).toEqual({ id: token, applied: false })
  expect(await call('GET', `/v1/devices/${token}`)).toMatchObject({
    status: 404,
    body: { code: 'unknown_device' },
  })
})

test('deleting: 204, then 404; late by query or body: 200 with the device', async () => {
  const token = randomToken()
  await call('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: 'a' })
  const before = (nowSeconds() - 60).toFixed(3)
  const url = `/v1/devices/${token}`
  const late = { status: 200, body: { id: token, applied: false, person_id: 'a' } }
  expect(await call('DELETE', `${url}?timestamp=${before}`)).toMatchObject(late)
  expect(await call('DELETE', url, { timestamp: Number(before) })).toMatchObject(late)
  const iso = new Date(Date.now() - 60_000).toISOString()
  expect(await call('DELETE', `/v1/people/a/devices/${token}?timestamp=${iso}`)).toMatchObject(late)
  expect((await call('DELETE', url)).status).toBe(204)
  expect((await call('DELETE', url)).status).toBe(404)
})

test("deleting a person's device: only theirs", async () => {
  const token = randomToken()
  await call('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: 'a/ü 🙂' })
  expect((await call('DELETE', `/v1/people/b/devices/${token}`)).status).toBe(404)
  const id = encodeURIComponent('a/ü 🙂')
  expect((await call('DELETE', `/v1/people/${id}/devices/${token}`)).status).toBe(204)
})

test('clear identify unties, keeps the device, and only the person that is named', async () => {
  const token = randomToken()
  const url = `/v1/devices/${token}/clear-identify`
  await call('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: 'b' })
  expect(await call('POST', url, { person_id: 'a' })).toMatchObject({
    status: 200,
    body: { person_id: 'b', applied: false },
  })
  expect(await call('POST', url, { timestamp: nowSeconds() - 60 })).toMatchObject({
    body: { person_id: 'b', applied: false },
  })
  expect(await call('POST', url)).toMatchObject({
    status: 200,
    body: { id: token, person_id: null, applied: true },
  })
  expect((await call('POST', `/v1/devices/${randomToken()}/clear-identify`)).status).toBe(404)
})

test('a new token of the same installation inherits, the old one is gone', async () => {
  const [before, after] = [randomToken(), randomToken()]
  await call('PUT', `/v1/devices/${before}`, {
    platform: 'ios',
    person_id: 'a',
    attributes: { theme: 'dark' },
  })
  const body = { platform: 'ios', previous_token: before }
  expect(await call('PUT', `/v1/devices/${after}`, body)).toMatchObject({
    body: { person_id: 'a', attributes: { theme: 'dark' } },
  })
  expect((await call('GET', `/v1/devices/${before}`)).status).toBe(404)
})

test('the timeline comes in pages, newest first, also of a deleted token', async () => {
  const token = randomToken()
  const url = `/v1/devices/${token}`
  await call('PUT', url, { platform: 'ios' })
  await call('PUT', url, { platform: 'ios', person_id: 'a' })
  await call('PUT', url, { platform: 'ios', person_id: 'b', attributes: { push_enabled: false } })
  await call('POST', `${url}/clear-identify`)
  await call('DELETE', url)
  const pages = []
  let cursor = ''
  do {
    const { status, body } = await call('GET', `${url}/timeline?limit=2${cursor}`)
    expect(status).toBe(200)
    pages.push(body.events)
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
  } while (cursor)
  expect(pages.map((page) => page.length)).toEqual([2, 2, 2])
  expect(pages.flat()).toMatchObject([
    { kind: 'deleted', person_id: null },
    { kind: 'untied', person_id: 'b' },
    { kind: 'push_disabled', person_id: 'b' },
    { kind: 'moved', person_id: 'b', from_person_id: 'a' },
    { kind: 'identified', person_id: 'a' },
    { kind: 'registered', person_id: null },
  ])
  expect((await call('GET', `/v1/devices/${randomToken()}/timeline`)).status).toBe(404)
})

test('a cursor and a limit that are none are refused by name', async () => {
  const url = `/v1/devices/${randomToken()}/timeline`
  for (const query of ['cursor=abc', 'limit=0', 'limit=101', 'limit=x', 'other=1']) {
    const { status, body } = await call('GET', `${url}?${query}`)
    expect(status).toBe(422)
    expect(body.errors[0].path).toBe(query.split('=')[0])
  }
})

test('a workspace of several apps needs app_id, but for a token that one alone knows', async () => {
  const one = await registry.createWorkspaceWithApp()
  const other = await createApp(registry.database, one.workspaceNo, 'other')
  const withKey = { key: one.secretKey }
  const token = randomToken()
  const url = `/v1/devices/${token}`
  const unnamed = await call('PUT', url, { platform: 'ios' }, withKey)
  expect(unnamed).toMatchObject({ status: 422, body: { errors: [{ path: 'app_id' }] } })
  const foreign = { platform: 'ios', app_id: registry.appId }
  expect(await call('PUT', url, foreign, withKey)).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'app_id', message: 'is not an app of this workspace' }] },
  })
  await call('PUT', url, { platform: 'ios', app_id: other.id, person_id: 'a' }, withKey)
  expect(await call('GET', url, undefined, withKey)).toMatchObject({
    status: 200,
    body: { app_id: other.id },
  })
  expect((await call('GET', `${url}?app_id=${one.appId}`, undefined, withKey)).status).toBe(404)
  await call('PUT', url, { platform: 'ios', app_id: one.appId }, withKey)
  expect(await call('GET', url, undefined, withKey)).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'app_id' }] },
  })
  // The key of one app means that one, and no other.
  const asPublic = { key: one.publicKey }
  expect((await call('PUT', url, { platform: 'ios' }, asPublic)).status).toBe(200)
  const elsewhere = { platform: 'ios', app_id: other.id }
  expect((await call('PUT', url, elsewhere, asPublic)).status).toBe(422)
})

test('attributes of a device that add up to too much are refused, and cost no other call', async () => {
  const [big, small] = [randomToken(), randomToken()]
  const put = (token: string, key: string, size: number) =>
    call('PUT', `/v1/devices/${token}`, {
      platform: 'ios',
      attributes: { [key]: 'x'.repeat(size) },
    })
  for (const key of ['a', 'b', 'c', 'd']) await put(big, key, 65_000)
  const [refused, ...others] = await Promise.all([
    put(big, 'e', 65_000),
    ...Array.from({ length: 10 }, (_, n) => put(small, `k${n}`, 1)),
  ])
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: 'attributes' }] } })
  expect(others.map((answer) => answer.status)).toEqual(Array.from({ length: 10 }, () => 200))
  const { body } = await call('GET', `/v1/devices/${big}`)
  expect(Object.keys(body.attributes)).toHaveLength(6)
})
