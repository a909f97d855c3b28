import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
let call: typeof registry.call

beforeAll(async () => {
  registry = await createRegistry()
  call = registry.call
})

afterAll(() => registry[Symbol.asyncDispose]())

test('identifying adds and merges; reading back has the devices', async () => {
  const added = await call('PUT', '/v1/people/dana', { attributes: { first_name: 'Dana', a: 1 } })
  const person = {
    id: 'dana',
    attributes: { first_name: 'Dana', a: 1 },
    suppressed: false,
    blocked: false,
    created_at: expect.stringMatching(/Z$/),
    updated_at: expect.stringMatching(/Z$/),
  }
  expect(added.status).toBe(200)
  expect(added.body).toEqual(person)
  const attributes = { favorite_food: 'pizza', a: null }
  await call('PUT', '/v1/people/dana', { attributes })
  const token = randomToken()
  await call('PUT', '/v1/people/dana/devices', { device: { id: token, platform: 'ios' } })
  const read = await call('GET', '/v1/people/dana')
  expect(read).toMatchObject({ status: 200, body: { created_at: added.body.created_at } })
  expect(read.body.attributes).toEqual({ first_name: 'Dana', favorite_food: 'pizza' })
  expect(read.body.devices).toMatchObject([{ id: token, app_id: registry.appId }])
})

test('a person may be identified without saying anything of them', async () => {
  expect((await call('PUT', '/v1/people/quiet', {})).status).toBe(200)
  expect((await call('PUT', '/v1/people/quiet')).status).toBe(200)
})

test('ids are what the path decodes to', async () => {
  for (const id of ['a/b', 'ü ñ', '用户', '🙂', '%25', 'a?b#c', 'x'.repeat(150), '5']) {
    const url = `/v1/people/${encodeURIComponent(id)}`
    expect(await call('PUT', url, {})).toMatchObject({ status: 200, body: { id } })
    expect(await call('GET', url)).toMatchObject({ status: 200, body: { id } })
  }
})

test('what is not known is 404', async () => {
  for (const [method, url] of [
    ['GET', '/v1/people/nobody'],
    ['DELETE', '/v1/people/nobody'],
    ['POST', '/v1/people/nobody/unsuppress'],
  ] as const) {
    expect(await call(method, url)).toMatchObject({ status: 404, body: { code: 'unknown_person' } })
  }
})

test('suppressing holds through identifying and ends by unsuppressing', async () => {
  expect(await call('POST', '/v1/people/quit/suppress')).toMatchObject({
    status: 200,
    body: { suppressed: true },
  })
  expect(await call('PUT', '/v1/people/quit', {})).toMatchObject({ body: { suppressed: true } })
  expect(await call('POST', '/v1/people/quit/unsuppress', {})).toMatchObject({
    status: 200,
    body: { suppressed: false },
  })
})

test('deleting erases the person and the devices, and an old registration revives neither', async () => {
  const token = randomToken()
  const device = { id: token, platform: 'ios', attributes: { secret: 1 } }
  await call('PUT', '/v1/people/gone/devices', { device })
  expect(await call('DELETE', '/v1/people/gone')).toMatchObject({ status: 204, body: '' })
  expect((await call('GET', '/v1/people/gone')).status).toBe(404)
  expect((await call('GET', `/v1/devices/${token}`)).status).toBe(404)
  const timestamp = Date.now() / 1000 - 60
  const late = await call('PUT', '/v1/people/gone/devices', { device: { ...device, timestamp } })
  expect(late.body).toEqual({ id: token, applied: false })
  expect((await call('GET', '/v1/people/gone')).status).toBe(404)
})

test('attributes that add up to too much are refused, and change nothing', async () => {
  const big = 'x'.repeat(65_000)
  let last = await call('PUT', '/v1/people/big', { attributes: { a0: big } })
  for (let n = 1; n < 5 && last.status === 200; n += 1) {
    last = await call('PUT', '/v1/people/big', { attributes: { [`a${n}`]: big } })
  }
  expect(last).toMatchObject({ status: 422, body: { errors: [{ path: 'attributes' }] } })
  const { body } = await call('GET', '/v1/people/big')
  expect(Object.keys(body.attributes)).toHaveLength(4)
})
