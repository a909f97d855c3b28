import fc from 'fast-check'
import { expect, test } from 'vitest'
import { renderApns } from '../src/apns/payload.ts'
import { payloadProblem } from '../src/payload-problem.ts'
import type { MessageToRender } from '../src/provider.ts'
import { tokenBytesAssumed } from '../src/sdk-keys.ts'
import { bytesOf } from '../src/spliced.ts'
import { message, noon } from './messages.ts'

/**
 * What Apple documents of each type: topic suffix, priorities, largest payload.
 * https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
 */
const documented: Record<string, [suffix: string, priorities: string[], bytesMax: number]> = {
  alert: ['', ['10', '5', '1'], 4096],
  background: ['', ['5', '1'], 4096],
  voip: ['.voip', ['10', '5', '1'], 5120],
  complication: ['.complication', ['10', '5', '1'], 4096],
  fileprovider: ['.pushkit.fileprovider', ['10', '5', '1'], 4096],
  mdm: ['', ['10', '5', '1'], 4096],
  location: ['.location-query', ['10', '5', '1'], 4096],
  liveactivity: ['.push-type.liveactivity', ['10', '5', '1'], 4096],
  pushtotalk: ['.voip-ptt', ['10'], 4096],
  widgets: ['.push-type.widgets', ['10', '5', '1'], 4096],
  controls: ['.push-type.controls', ['10', '5', '1'], 4096],
}

const bundleId = 'com.example.shop'

const size = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 3500, max: 5300 }))
const text = size.map((length) => 'x'.repeat(length))

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })

const headers = fc.record(
  {
    'apns-push-type': fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...Object.keys(documented)) },
      { weight: 1, arbitrary: fc.constantFrom('', 'Alert', 'voip ', 'constructor', '__proto__') },
      { weight: 1, arbitrary: fc.string() },
    ),
    'apns-priority': fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('10', '5', '1') },
      { weight: 1, arbitrary: fc.constantFrom('', '0', '2', '05', '1e1', ' 5', '-1', '10.0') },
    ),
    'apns-expiration': fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('0', '1796094390') },
      { weight: 1, arbitrary: fc.constantFrom('', '-1', '1.5', 'never', '99999999999') },
    ),
    'apns-collapse-id': fc.string({ maxLength: 80 }),
  },
  { requiredKeys: [] },
)

const data = fc.dictionary(fc.constantFrom('a', 'b', 'aps'), text, { maxKeys: 2 })
const shown = {
  title: text,
  badge: fc.nat(99),
  sound: fc.constantFrom('default', 'ding.caf'),
}
const content = fc.oneof(fc.record({ data }), fc.record({ ...shown, data }, { requiredKeys: [] }))

const state = {
  event: fc.constant('update'),
  'content-state': fc.record({ score: fc.nat() }),
  'content-changed': fc.constant(true),
}
const alert = fc.oneof(text, fc.record({ title: text }))
const aps = fc.oneof(
  fc.record(state, { requiredKeys: [] }),
  fc.record({ ...state, alert }, { requiredKeys: [] }),
)

const messages = fc
  .record({
    content,
    headers: optional(headers),
    aps: optional(aps),
    priority: fc.constantFrom('high', 'normal'),
    ttlSeconds: fc.constantFrom(0, 30, 3600),
    sdkKeys: fc.boolean(),
  })
  .map(
    ({ headers, aps, ...parts }): MessageToRender =>
      message({
        ...parts,
        expiresAt: noon + parts.ttlSeconds * 1000,
        apns: { ...(headers && { headers }), ...(aps && { payload: { aps } }) },
      }),
  )

function requestOf(one: MessageToRender) {
  const { headers, payload } = renderApns(one, bundleId)
  const named: Record<string, string> = {}
  for (let n = 0; n < headers.length; n += 2) named[headers[n] ?? ''] = headers[n + 1] ?? ''
  const body = payload.map(String).join('ab'.repeat(tokenBytesAssumed / 2))
  return { named, aps: JSON.parse(body).aps ?? {}, bytes: bytesOf(payload, tokenBytesAssumed) }
}

// Each type has to be accepted, and each header refused, or the generator proves nothing.
test('of every pair of headers and push type APNs gets what it documents, or the caller is told', () => {
  const seen = { accepted: new Set<string>(), refused: new Set<string>() }
  fc.assert(
    fc.property(messages, (one) => {
      const problem = payloadProblem(one)
      if (problem !== null) {
        seen.refused.add(problem.path)
        expect(problem.path).toMatch(
          /^(apns\.headers\.apns-(push-type|priority|expiration)|content|apns|fcm|content\.data\.\w+)$/,
        )
        expect(problem.message).not.toBe('')
        return
      }
      const { named, aps, bytes } = requestOf(one)
      const type = named['apns-push-type'] ?? ''
      seen.accepted.add(type)
      const [suffix, priorities, bytesMax] = documented[type] ?? ['?', [], 0]
      expect(named['apns-topic']).toBe(`${bundleId}${suffix}`)
      expect(priorities).toContain(named['apns-priority'])
      expect(bytes).toBeLessThanOrEqual(bytesMax)
      expect(named['apns-expiration']).toMatch(type === 'pushtotalk' ? /^0$/ : /^\d{1,10}$/)
      expect(named['apns-collapse-id'] ?? '').toMatch(/^[ -~]{0,64}$/)
      expect('content-available' in aps).toBe(type === 'background')
      const shows = 'alert' in aps || 'badge' in aps || 'sound' in aps
      if (type === 'background') expect(shows).toBe(false)
    }),
    { numRuns: 3000 },
  )
  expect([...seen.accepted].sort()).toEqual(Object.keys(documented).sort())
  expect([...seen.refused]).toEqual(
    expect.arrayContaining([
      'apns.headers.apns-push-type',
      'apns.headers.apns-priority',
      'apns.headers.apns-expiration',
      'content',
    ]),
  )
})

const allowed = Object.entries(documented).flatMap(([type, [, priorities]]) =>
  ['10', '5', '1', '2'].map((priority) => [type, priority, priorities.includes(priority)] as const),
)

test.each(allowed)('a %s push of priority %s is taken: %s', (type, priority, isTaken) => {
  const headers = { 'apns-push-type': type, 'apns-priority': priority }
  const problem = payloadProblem(message({ content: { data: { a: 'b' } }, apns: { headers } }))
  expect(problem?.path ?? null).toBe(isTaken ? null : 'apns.headers.apns-priority')
})
