import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>

beforeAll(async () => {
  registry = await createRegistry()
})

afterAll(() => registry[Symbol.asyncDispose]())

interface Operation {
  requestBody?: { required: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, unknown>
}

async function operations(): Promise<Record<string, Operation>> {
  const { body } = await registry.call('GET', '/openapi.json')
  const paths: Record<string, Record<string, Operation>> = body.paths
  return Object.fromEntries(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => [`${method} ${path}`, operation]),
    ),
  )
}

test('what takes a body says how it refuses one', async () => {
  const withBody = Object.entries(await operations()).filter(([, { requestBody }]) => requestBody)
  expect(withBody.length).toBeGreaterThan(5)
  for (const [name, { responses }] of withBody) {
    const refusals = Object.keys(responses)
    expect({ name, refusals }).toMatchObject({
      refusals: expect.arrayContaining(['400', '401', '413', '415', '422', '503']),
    })
  }
})

test('a body that may be left out is not called required', async () => {
  const described = await operations()
  expect(described['delete /v1/devices/{token}']?.requestBody?.required).toBe(false)
  expect(described['put /v1/devices/{token}']?.requestBody?.required).toBe(true)
})

test('the fields of a device say what they take', async () => {
  const described = await operations()
  const put = described['put /v1/devices/{token}']?.requestBody
  expect(put?.content['application/json']?.schema).toMatchObject({
    properties: {
      platform: { type: 'string', pattern: expect.stringContaining('iI') },
      last_used: { anyOf: [{ type: 'integer' }, { type: 'string' }] },
      timestamp: { anyOf: [{ type: 'number' }, { type: 'string', format: 'date-time' }] },
    },
  })
})

test.each([
  [`/v1/devices/${randomToken()}`, (device: object) => device, 'app_id'],
  [
    '/v1/people/p/devices',
    (device: object) => ({ device: { id: randomToken(), ...device } }),
    'device.app_id',
  ],
])('an app of nobody is named where it stands: PUT %s', async (url, bodyOf, path) => {
  const body = bodyOf({ platform: 'ios', app_id: '00000000-0000-7000-8000-000000000000' })
  const answer = await registry.call('PUT', url, body)
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } })
})

test.each(['a\u0000', '\ud800'])(
  'a previous token that no text can be is refused',
  async (token) => {
    const before = await registry.countRows()
    const url = `/v1/devices/${randomToken()}`
    const answer = await registry.call('PUT', url, { platform: 'ios', previous_token: token })
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'previous_token' }] } })
    expect(await registry.countRows()).toEqual(before)
  },
)
