import { expect, test } from 'vitest'
import {
  isBalanced,
  NewMessage,
  providerOf,
  RegisterDeviceInput,
  tokenProblem,
} from '../src/index.ts'

const hex = 'ab'.repeat(32)
const fcm = `dXZ3eHl6MDEyMzQ1:APA91b${'x'.repeat(120)}`

test.each([
  ['ios', hex, true],
  ['ios', hex.toUpperCase(), true],
  ['ios', fcm, true],
  ['ios', '', false],
  ['ios', 'not-hexadecimal', false],
  ['ios', 'abc', false],
  ['android', fcm, true],
  ['android', '', false],
  ['android', 'with a space and more', false],
  ['android', 'x'.repeat(4097), false],
  ['android', 'umläut-token-of-some-length', false],
] as const)('a token of %s: %s is well formed: %s', (platform, token, isFine) => {
  const problem = tokenProblem(platform, token)
  expect(problem === null).toBe(isFine)
  if (token.length > 3) expect(problem ?? '').not.toContain(token)
})

test('hex on iOS goes to APNs, everything else to FCM', () => {
  expect(providerOf('ios', hex)).toBe('apns')
  expect(providerOf('ios', fcm)).toBe('fcm')
  expect(providerOf('android', fcm)).toBe('fcm')
})

test.each([
  [{ platform: 'iOS' }, 'ios'],
  [{ platform: 'ANDROID' }, 'android'],
])('a platform in any letter case: %j', (body, platform) => {
  expect(RegisterDeviceInput.parse(body).platform).toBe(platform)
})

test.each([
  ['an unknown platform', { platform: 'windows' }, 'platform'],
  ['no platform', {}, 'platform'],
  ['last_used that is no date', { platform: 'ios', last_used: 'yesterday' }, 'last_used'],
  ['last_used in milliseconds', { platform: 'ios', last_used: 1_763_000_000_000 }, 'last_used'],
  ['last_used with a fraction', { platform: 'ios', last_used: 1.5 }, 'last_used'],
  [
    'a timestamp that is no date',
    { platform: 'ios', timestamp: '2026-02-30T00:00:00Z' },
    'timestamp',
  ],
  [
    'a timestamp without an offset',
    { platform: 'ios', timestamp: '2026-02-03T00:00:00' },
    'timestamp',
  ],
  ['an empty person', { platform: 'ios', person_id: '' }, 'person_id'],
  ['an app that is no id', { platform: 'ios', app_id: 'mine' }, 'app_id'],
])('%s is refused and named', (_name, body, path) => {
  const result = RegisterDeviceInput.safeParse(body)
  expect(result.success).toBe(false)
  expect(result.error?.issues[0]?.path[0]).toBe(path)
})

test('a time is unix seconds or ISO 8601, last_used also digits in a text', () => {
  expect(
    RegisterDeviceInput.parse({
      platform: 'ios',
      timestamp: 1_763_000_000.25,
      last_used: '1763000000',
    }),
  ).toMatchObject({ timestamp: 1_763_000_000_250, last_used: 1_763_000_000 })
  expect(
    RegisterDeviceInput.parse({ platform: 'ios', timestamp: '2026-01-01T01:00:00+01:00' })
      .timestamp,
  ).toBe(Date.UTC(2026, 0, 1))
})

test.each([
  ['two audiences', { to: { person_id: 'a', all: true } }, ['to']],
  ['no audience', { to: {} }, ['to']],
  ['all: false', { to: { all: false } }, ['to', 'all']],
  ['an empty list', { to: { person_ids: [] } }, ['to', 'person_ids']],
  ['10,001 people', { to: { person_ids: Array(10_001).fill('a') } }, ['to', 'person_ids']],
  ['a negative time to live', { ttl_seconds: -1 }, ['ttl_seconds']],
  ['a time to live over four weeks', { ttl_seconds: 28 * 86_400 + 1 }, ['ttl_seconds']],
  ['a collapse id over 64 bytes', { collapse_id: 'ä'.repeat(33) }, ['collapse_id']],
  ['an image that is no URL', { content: { image_url: 'cat.png' } }, ['content', 'image_url']],
  ['no content at all', { content: undefined }, ['content']],
  ['an unknown field', { contents: {} }, []],
  [
    '__proto__ in data',
    { content: { data: JSON.parse('{"__proto__":1}') } },
    ['content', 'data', '__proto__'],
  ],
  ['an APNs topic of its own', { apns: { headers: { 'apns-topic': 'x' } } }, ['apns', 'headers']],
  ['an FCM target of its own', { fcm: { token: 'x' } }, ['fcm']],
])('a message with %s is refused and named', (_name, change, path) => {
  const message = { to: { person_id: 'ana' }, content: { title: 'Hello' }, ...change }
  const result = NewMessage.safeParse(message)
  expect(result.success).toBe(false)
  expect(result.error?.issues[0]?.path).toEqual(path)
})

test('a ledger that does not add up, or owes, is not balanced', () => {
  const counts = {
    recipients: 5,
    sent: 2,
    bounced: 1,
    suppressed: 0,
    failed: 0,
    expired: 0,
    pending: 2,
  }
  expect(isBalanced(counts, true)).toBe(true)
  expect(isBalanced(counts, false)).toBe(false)
  expect(isBalanced({ ...counts, sent: counts.sent + counts.pending, pending: 0 }, false)).toBe(
    true,
  )
  expect(isBalanced({ ...counts, sent: 3 }, true)).toBe(false)
  expect(isBalanced({ ...counts, sent: 5, pending: -1 }, true)).toBe(false)
})
