import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Customerio, createCustomerio } from './customerio.ts'
import { randomToken } from './registry.ts'

let cio: Customerio

beforeAll(async () => {
  cio = await createCustomerio()
})

afterAll(() => cio[Symbol.asyncDispose]())

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
  fc.constantFrom('', ' ', 'null', '\u0000', '\ud800', -1, 0, 'a@b', 'cio_00000001', [], {}),
)
const token = randomToken()
const some = (...usual: unknown[]) => fc.oneof(fc.constantFrom(...usual), odd)
const device = fc.record(
  { token: some(token), id: some(token), type: some('ios'), platform: some('iOS'), extra: odd },
  { requiredKeys: [] },
)
const message = fc.record(
  {
    type: some('identify', 'track', 'page', 'screen', 'group', 'alias'),
    userId: some('u1', 7),
    anonymousId: some('a1'),
    previousId: some('a1'),
    groupId: odd,
    event: some('e', 'Device Created or Updated', 'Device Deleted', 'Report Delivery Event'),
    name: odd,
    traits: odd,
    properties: fc.oneof(odd, fc.record({ device, metric: odd, deliveryId: odd, recipient: odd })),
    context: fc.oneof(odd, fc.record({ device })),
    timestamp: some('2026-01-01T00:00:00Z', 1_700_000_000),
    messageId: odd,
  },
  { requiredKeys: [] },
)
const operation = fc.record(
  {
    type: some('person', 'delivery', 'object'),
    action: some('identify', 'event', 'add_device', 'delete_device', 'merge', 'page'),
    identifiers: some({ id: 'u2' }, { email: 'a@b' }, { cio_id: '00000001' }),
    attributes: odd,
    device: fc.oneof(odd, device),
    name: odd,
    timestamp: odd,
    primary: odd,
    secondary: odd,
  },
  { requiredKeys: [] },
)

const runs = { numRuns: 60 }

test('whatever a batch holds, it is answered, and each bad message has its verdict', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (batch) => {
      const text = JSON.stringify({ batch })
      const answer = await cio.pipelines('/v1/b', text, {
        headers: { 'content-type': 'text/plain', 'x-item-verdicts': 'true' },
      })
      expect([200, 400]).toContain(answer.status)
      if (answer.status === 400) expect(answer.body.code).toBe('forbidden_key')
      for (const error of answer.body.errors ?? []) expect(error.code).toEqual(expect.any(String))
    }),
    runs,
  )
})

test('whatever the Track API is told, it takes it or says what is wrong', async () => {
  const calls: fc.Arbitrary<['PUT' | 'POST', string, unknown]> = fc.oneof(
    fc.tuple(fc.constant('PUT' as const), fc.constant('/api/v1/customers/u3'), odd),
    fc.tuple(
      fc.constant('PUT' as const),
      fc.constant('/api/v1/customers/u3/devices'),
      fc.record({ device }),
    ),
    fc.tuple(
      fc.constant('POST' as const),
      fc.constant('/api/v1/customers/u3/events'),
      fc.record({ name: odd, type: odd, id: odd, data: odd, timestamp: odd }, { requiredKeys: [] }),
    ),
    fc.tuple(
      fc.constant('POST' as const),
      fc.constant('/api/v1/merge_customers'),
      fc.record({ primary: odd, secondary: odd }),
    ),
    fc.tuple(
      fc.constant('POST' as const),
      fc.constantFrom('/push/events', '/api/v1/metrics'),
      fc.record({ delivery_id: odd, device_id: odd, recipient: odd, event: odd, metric: odd }),
    ),
    fc.tuple(fc.constant('POST' as const), fc.constant('/api/v2/entity'), operation),
    fc.tuple(
      fc.constant('POST' as const),
      fc.constant('/api/v2/batch'),
      fc.record({ batch: fc.array(operation, { maxLength: 8 }) }),
    ),
  )
  await fc.assert(
    fc.asyncProperty(calls, async ([method, path, body]) => {
      const answer = await cio.track(method, path, JSON.stringify(body), {
        headers: { 'content-type': 'application/json' },
      })
      expect([200, 207, 400]).toContain(answer.status)
      if (answer.status === 200) expect(answer.body).toEqual({})
      if (answer.status === 400) expect(answer.body.meta ?? answer.body.errors).toBeTruthy()
    }),
    { numRuns: 150 },
  )
})
