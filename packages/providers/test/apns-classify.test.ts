import { describe, expect, test } from 'vitest'
import { type ApnsAnswer, apnsReasons, classifyApns } from '../src/apns/classify.ts'

const now = Date.parse('2026-11-23T12:00:00Z')

const refused = (reason: string): ApnsAnswer => ({ kind: 'message-refused', reason })
const misconfigured = (reason: string): ApnsAnswer => ({ kind: 'misconfigured', reason })
const ambiguous = (reason: string): ApnsAnswer => ({ kind: 'ambiguous', reason })
const unavailable = (reason: string): ApnsAnswer => ({
  kind: 'unavailable',
  reason,
  afterMs: null,
  mayHaveArrived: false,
})
const throttled = (reason: string, scope: 'token' | 'credential'): ApnsAnswer => ({
  kind: 'throttled',
  reason,
  scope,
  afterMs: null,
})

// https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
const documented: [status: number, reason: string, answer: ApnsAnswer][] = [
  [400, 'BadCollapseId', refused('BadCollapseId')],
  [400, 'BadDeviceToken', { kind: 'other-environment' }],
  [400, 'BadExpirationDate', refused('BadExpirationDate')],
  [400, 'BadMessageId', refused('BadMessageId')],
  [400, 'BadPriority', refused('BadPriority')],
  [400, 'BadTopic', ambiguous('BadTopic')],
  [400, 'DeviceTokenNotForTopic', ambiguous('DeviceTokenNotForTopic')],
  [400, 'DuplicateHeaders', refused('DuplicateHeaders')],
  [400, 'IdleTimeout', unavailable('IdleTimeout')],
  [400, 'InvalidPushType', refused('InvalidPushType')],
  [400, 'MissingDeviceToken', refused('MissingDeviceToken')],
  [400, 'MissingTopic', ambiguous('MissingTopic')],
  [400, 'PayloadEmpty', refused('PayloadEmpty')],
  [400, 'TopicDisallowed', ambiguous('TopicDisallowed')],
  [403, 'BadCertificate', misconfigured('BadCertificate')],
  [403, 'BadCertificateEnvironment', ambiguous('BadCertificateEnvironment')],
  [403, 'BadEnvironmentKeyIdInToken', ambiguous('BadEnvironmentKeyIdInToken')],
  [403, 'BadEnvironmentKeyInToken', ambiguous('BadEnvironmentKeyInToken')],
  [403, 'ExpiredProviderToken', { kind: 'renew-token' }],
  [403, 'Forbidden', ambiguous('Forbidden')],
  [403, 'InvalidProviderToken', misconfigured('InvalidProviderToken')],
  [403, 'MissingProviderToken', misconfigured('MissingProviderToken')],
  [403, 'UnrelatedKeyIdInToken', ambiguous('UnrelatedKeyIdInToken')],
  [404, 'BadPath', refused('BadPath')],
  [405, 'MethodNotAllowed', refused('MethodNotAllowed')],
  [410, 'ExpiredToken', { kind: 'token-dead', reason: 'ExpiredToken', since: null }],
  [410, 'Unregistered', { kind: 'token-dead', reason: 'Unregistered', since: null }],
  [413, 'PayloadTooLarge', refused('PayloadTooLarge')],
  [429, 'TooManyProviderTokenUpdates', throttled('TooManyProviderTokenUpdates', 'credential')],
  [429, 'TooManyRequests', throttled('TooManyRequests', 'token')],
  [500, 'InternalServerError', unavailable('InternalServerError')],
  [503, 'ServiceUnavailable', unavailable('ServiceUnavailable')],
  [503, 'Shutdown', unavailable('Shutdown')],
]

describe('every documented answer of APNs', () => {
  test('200 is accepted, whatever stands in the body', () => {
    expect(classifyApns(200, '', null, now)).toEqual({ kind: 'accepted', environment: null })
  })

  test.each(documented)('%i %s', (status, reason, answer) => {
    expect(classifyApns(status, JSON.stringify({ reason }), null, now)).toEqual(answer)
  })

  test('the rows above are all that the table has', () => {
    expect(documented.map(([, reason]) => reason).sort()).toEqual([...apnsReasons].sort())
  })
})

test('a death notice carries the time that APNs gives, in ms', () => {
  const body = '{"reason":"Unregistered","timestamp":1760000000123}'
  expect(classifyApns(410, body, null, now)).toEqual({
    kind: 'token-dead',
    reason: 'Unregistered',
    since: 1_760_000_000_123,
  })
})

test('Retry-After is honoured where the answer asks for patience', () => {
  for (const [status, reason] of [
    [429, 'TooManyRequests'],
    [503, 'ServiceUnavailable'],
    [502, 'whatever'],
  ] as const) {
    const answer = classifyApns(status, JSON.stringify({ reason }), '30', now)
    expect(answer).toMatchObject({ afterMs: 30_000 })
  }
})

test.each([
  [400, 'NewReason', ambiguous('HTTP 400 NewReason')],
  [402, 'PaymentRequired', ambiguous('HTTP 402 PaymentRequired')],
  [403, 'NewReason', ambiguous('HTTP 403 NewReason')],
  [408, 'RequestTimeout', unavailable('HTTP 408 RequestTimeout')],
  [410, 'NewReason', ambiguous('HTTP 410 NewReason')],
  [429, 'NewReason', throttled('HTTP 429 NewReason', 'credential')],
  [500, 'NewReason', unavailable('HTTP 500 NewReason')],
  [302, 'NewReason', unavailable('HTTP 302 NewReason')],
  // A reason out of its place is as unknown as one that nobody has heard of.
  [400, 'Unregistered', ambiguous('HTTP 400 Unregistered')],
  [500, 'BadDeviceToken', unavailable('HTTP 500 BadDeviceToken')],
])(
  'an unlisted answer goes by its status and never costs a token: %i %s',
  (status, reason, answer) => {
    expect(classifyApns(status, JSON.stringify({ reason }), null, now)).toEqual(answer)
  },
)

test.each([
  '',
  'null',
  '[]',
  '"Unregistered"',
  '{"reason":',
  '<html>410 Gone</html>',
  '{"reason":410}',
  '{"reason":"constructor"}',
])('a body that is not an error of APNs says nothing: %j', (body) => {
  expect(classifyApns(410, body, null, now)).toMatchObject({ kind: 'ambiguous' })
})

test('what stands where a reason should is not repeated if it could be a token', () => {
  const token = 'ab12'.repeat(16)
  const answer = classifyApns(400, JSON.stringify({ reason: token }), null, now)
  expect(answer).toEqual(ambiguous('HTTP 400'))
})
