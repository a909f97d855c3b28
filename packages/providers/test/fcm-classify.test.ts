import { expect, test } from 'vitest'
import { classifyFcm, type FcmAnswer } from '../src/fcm/classify.ts'

const now = Date.parse('2026-11-23T12:00:00Z')

const fcmError = (errorCode: string) => ({
  '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError',
  errorCode,
})
const badRequest = (field: string) => ({
  '@type': 'type.googleapis.com/google.rpc.BadRequest',
  fieldViolations: [{ field, description: 'is not right' }],
})
const quotaFailure = (subject: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ subject, description: 'Message rate exceeded.' }],
})
const errorInfo = (reason: string) => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain: 'googleapis.com',
})
const apnsError = {
  '@type': 'type.googleapis.com/google.firebase.fcm.v1.ApnsError',
  statusCode: 410,
  reason: 'Unregistered',
}

const refused = (reason: string): FcmAnswer => ({ kind: 'message-refused', reason })
const ambiguous = (reason: string): FcmAnswer => ({ kind: 'ambiguous', reason })
const dead = (reason: string): FcmAnswer => ({ kind: 'token-dead', reason, since: null })
const unavailable = (reason: string): FcmAnswer => ({
  kind: 'unavailable',
  reason,
  afterMs: null,
  mayHaveArrived: false,
})
const throttled = (reason: string, scope: 'token' | 'credential'): FcmAnswer => ({
  kind: 'throttled',
  reason,
  scope,
  afterMs: 60_000,
})

function classify(status: number, details: object[] | undefined, retryAfter: string | null = null) {
  const body = JSON.stringify({ error: { code: status, message: 'No.', status: 'X', details } })
  return classifyFcm(status, body, retryAfter, now)
}

test('200 is accepted', () => {
  const body = '{"name":"projects/p/messages/0:1"}'
  expect(classifyFcm(200, body, null, now)).toEqual({ kind: 'accepted', environment: null })
})

// https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
test.each<[string, number, object[] | undefined, FcmAnswer]>([
  [
    'UNSPECIFIED_ERROR',
    400,
    [fcmError('UNSPECIFIED_ERROR')],
    ambiguous('HTTP 400 UNSPECIFIED_ERROR'),
  ],
  ['INVALID_ARGUMENT', 400, [fcmError('INVALID_ARGUMENT')], refused('INVALID_ARGUMENT')],
  [
    'INVALID_ARGUMENT about the message',
    400,
    [fcmError('INVALID_ARGUMENT'), badRequest('message.data[0].value')],
    refused('INVALID_ARGUMENT'),
  ],
  [
    'INVALID_ARGUMENT about the token',
    400,
    [fcmError('INVALID_ARGUMENT'), badRequest('message.token')],
    dead('INVALID_ARGUMENT'),
  ],
  [
    'INVALID_ARGUMENT with an error of APNs',
    400,
    [fcmError('INVALID_ARGUMENT'), apnsError],
    refused('INVALID_ARGUMENT'),
  ],
  [
    'a violation without an error of FCM',
    400,
    [badRequest('message.token')],
    refused('INVALID_ARGUMENT'),
  ],
  ['UNREGISTERED', 404, [fcmError('UNREGISTERED')], dead('UNREGISTERED')],
  ['UNREGISTERED on iOS', 404, [fcmError('UNREGISTERED'), apnsError], dead('UNREGISTERED')],
  ['SENDER_ID_MISMATCH', 403, [fcmError('SENDER_ID_MISMATCH')], ambiguous('SENDER_ID_MISMATCH')],
  ['QUOTA_EXCEEDED', 429, [fcmError('QUOTA_EXCEEDED')], throttled('QUOTA_EXCEEDED', 'credential')],
  [
    'QUOTA_EXCEEDED of the device',
    429,
    [fcmError('QUOTA_EXCEEDED'), quotaFailure('device')],
    throttled('QUOTA_EXCEEDED', 'token'),
  ],
  [
    'QUOTA_EXCEEDED of the project',
    429,
    [fcmError('QUOTA_EXCEEDED'), quotaFailure('project')],
    throttled('QUOTA_EXCEEDED', 'credential'),
  ],
  ['UNAVAILABLE', 503, [fcmError('UNAVAILABLE')], unavailable('UNAVAILABLE')],
  ['INTERNAL', 500, [fcmError('INTERNAL')], unavailable('INTERNAL')],
  [
    'THIRD_PARTY_AUTH_ERROR',
    401,
    [fcmError('THIRD_PARTY_AUTH_ERROR')],
    ambiguous('THIRD_PARTY_AUTH_ERROR'),
  ],
  ['a front end: bad request', 400, undefined, refused('INVALID_ARGUMENT')],
  [
    'a front end: no valid access token',
    401,
    [errorInfo('ACCESS_TOKEN_EXPIRED')],
    { kind: 'renew-token' },
  ],
  [
    'a front end: no role',
    403,
    [errorInfo('IAM_PERMISSION_DENIED')],
    ambiguous('PERMISSION_DENIED'),
  ],
  ['a front end: no such project', 404, undefined, ambiguous('NOT_FOUND')],
  [
    'a front end: the project has no quota left',
    429,
    [errorInfo('RATE_LIMIT_EXCEEDED')],
    throttled('RESOURCE_EXHAUSTED', 'credential'),
  ],
  ['a front end: bad gateway', 502, undefined, unavailable('HTTP 502')],
  ['a code that nobody has heard of', 404, [fcmError('NEW_CODE')], ambiguous('HTTP 404 NEW_CODE')],
])('%s (%i)', (_name, status, details, answer) => {
  expect(classify(status, details)).toEqual(answer)
})

test('Retry-After is honoured where the answer asks for patience', () => {
  expect(classify(429, [fcmError('QUOTA_EXCEEDED')], '5')).toMatchObject({ afterMs: 5000 })
  expect(classify(503, [fcmError('UNAVAILABLE')], '17')).toMatchObject({ afterMs: 17_000 })
  expect(classify(429, undefined, '5')).toMatchObject({ afterMs: 5000 })
  const date = 'Mon, 23 Nov 2026 12:01:00 GMT'
  expect(classify(503, undefined, date)).toMatchObject({ afterMs: 60_000 })
})

test.each([
  '',
  'null',
  '<!DOCTYPE html>',
  '{"error":{"details":[{"errorCode":"UNREGISTERED"}]}}',
  '{"err',
])('a 404 whose body is not an error of FCM costs no token: %j', (body) => {
  expect(classifyFcm(404, body, null, now)).toEqual(ambiguous('NOT_FOUND'))
})
