import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Customerio, createCustomerio, taken } from './customerio.ts'
import { randomToken } from './registry.ts'

const most = 2
let cio: Customerio
beforeAll(async () => {
  cio = await createCustomerio({ caps: { personDevices: most, personAttributes: 300 } })
})
afterAll(() => cio[Symbol.asyncDispose]())

let people = 0
/** A person who has as many devices as one may have. */
async function owner(): Promise<string> {
  people += 1
  const id = `full-${people}`
  for (let n = 0; n < most; n += 1) {
    const { status } = await put(id, randomToken())
    expect(status).toBe(200)
  }
  return id
}

const device = (id: string, more: object = {}) => ({ device: { id, platform: 'ios', ...more } })
const put = (id: string, token: string, key = cio.secretKey) =>
  cio.call('PUT', `/v1/people/${id}/devices`, device(token), { key })

async function expectNotStored(id: string, token: string): Promise<void> {
  expect(await cio.device(token)).toBeNull()
  expect((await cio.person(id)).devices).toHaveLength(most)
}

test.each(['secretKey', 'publicKey'] as const)(
  'natively one more device is a 422 that names the person, to a %s',
  async (kind) => {
    const id = await owner()
    const token = randomToken()
    const refused = (path: string) => ({
      status: 422,
      body: {
        code: 'too_many_devices',
        errors: [{ path, message: expect.stringContaining(`has ${most} devices`) }],
      },
    })
    expect(await put(id, token, cio[kind])).toMatchObject(refused('id'))
    const named = { platform: 'ios', person_id: id }
    const byToken = await cio.call('PUT', `/v1/devices/${token}`, named, { key: cio[kind] })
    expect(byToken).toMatchObject(refused('person_id'))
    await expectNotStored(id, token)
  },
)

test('Track v1 refuses it as 400, which its clients do not repeat', async () => {
  const id = await owner()
  const token = randomToken()
  const answer = await cio.track('PUT', `/api/v1/customers/${id}/devices`, device(token))
  expect(answer.status).toBe(400)
  expect(JSON.stringify(answer.body)).toContain('as one person may have')
  await expectNotStored(id, token)
})

test('Track v2 refuses the operation, and of a batch that one alone', async () => {
  const id = await owner()
  const token = randomToken()
  const operation = {
    type: 'person',
    action: 'add_device',
    identifiers: { id },
    device: { token, platform: 'ios' },
  }
  expect((await cio.track('POST', '/api/v2/entity', operation)).status).toBe(400)
  const identify = {
    type: 'person',
    action: 'identify',
    identifiers: { id },
    attributes: { plan: 'pro' },
  }
  const batch = { batch: [operation, identify] }
  const answer = await cio.track('POST', '/api/v2/batch', batch)
  expect(answer).toMatchObject({ status: 207, body: { errors: [{ batch_index: 0 }] } })
  await expectNotStored(id, token)
  expect((await cio.person(id)).attributes).toEqual({ plan: 'pro' })
})

test('Pipelines refuse the item alone, and say so to a client that asks', async () => {
  const id = await owner()
  const token = randomToken()
  const register = {
    type: 'track',
    userId: id,
    event: 'Device Created or Updated',
    properties: {},
    context: { device: { token, type: 'ios' } },
  }
  const identify = { type: 'identify', userId: id, traits: { plan: 'pro' } }
  const headers = { 'x-item-verdicts': 'true' }
  const answer = await cio.batch([register, identify], { headers })
  expect(answer.body).toMatchObject({ errors: [{ code: 'too_many_devices' }] })
  await expectNotStored(id, token)
  expect((await cio.person(id)).attributes).toEqual({ plan: 'pro' })
})

const names = (prefix: string) =>
  Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`${prefix}-${n}`, n]))

test('too many attributes in sum are a 422 that names them', async () => {
  const identify = (prefix: string) =>
    cio.call('PUT', '/v1/people/rich', { attributes: names(prefix) })
  expect((await identify('a')).status).toBe(200)
  expect(await identify('b')).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'attributes' }] },
  })
  expect(Object.keys((await cio.person('rich')).attributes)).toHaveLength(200)
})

test('too many attributes of a device leave its token registered, by a public key', async () => {
  const token = randomToken()
  const register = (prefix: string, key: string) =>
    cio.call('PUT', `/v1/devices/${token}`, { platform: 'ios', attributes: names(prefix) }, { key })
  expect((await register('a', cio.publicKey)).status).toBe(200)
  expect(await register('b', cio.secretKey)).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'attributes' }] },
  })
  expect((await register('b', cio.publicKey)).status).toBe(200)
  expect(await cio.device(token)).not.toBeNull()
})

test.each([
  ['Track v2', (batch: object[]) => cio.track('POST', '/api/v2/batch', { batch })],
  ['Pipelines', (batch: object[]) => cio.pipelines('/v1/batch', { batch })],
])('a batch of %s has at most 5,000 items', async (_, send) => {
  const items = (count: number) => Array.from({ length: count }, () => ({}))
  const refused = await send(items(5001))
  expect(refused.status).toBe(400)
  expect(JSON.stringify(refused.body)).toContain('must have at most 5000 items')
  expect(JSON.stringify((await send(items(5000))).body)).not.toContain('must have at most')
})

test('a person who has room is registered as ever', async () => {
  const item = { type: 'identify', userId: 'roomy', traits: {} }
  expect(await cio.batch([item])).toMatchObject(taken)
  expect((await put('roomy', randomToken(), cio.publicKey)).status).toBe(200)
})
