import { describe, expect, test } from 'vitest'
import {
  apnsMeanings,
  fcmFrontEndMeanings,
  fcmMeanings,
  isAboutOwnHeaders,
  meaningOfStatus,
  type Subject,
  subjectOf,
} from '../src/index.ts'

// https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
const apns: Record<Subject, string[]> = {
  token: ['400 BadDeviceToken', '410 ExpiredToken', '410 Unregistered', '429 TooManyRequests'],
  message: [
    '400 BadCollapseId',
    '400 BadExpirationDate',
    '400 BadMessageId',
    '400 BadPriority',
    '400 DuplicateHeaders',
    '400 InvalidPushType',
    '400 MissingDeviceToken',
    '400 PayloadEmpty',
    '404 BadPath',
    '405 MethodNotAllowed',
    '413 PayloadTooLarge',
  ],
  credentials: [
    '403 BadCertificate',
    '403 ExpiredProviderToken',
    '403 InvalidProviderToken',
    '403 MissingProviderToken',
    '429 TooManyProviderTokenUpdates',
  ],
  provider: [
    '400 IdleTimeout',
    '500 InternalServerError',
    '503 ServiceUnavailable',
    '503 Shutdown',
  ],
  ambiguous: [
    '400 BadTopic',
    '400 DeviceTokenNotForTopic',
    '400 MissingTopic',
    '400 TopicDisallowed',
    '403 BadCertificateEnvironment',
    '403 BadEnvironmentKeyIdInToken',
    '403 BadEnvironmentKeyInToken',
    '403 Forbidden',
    '403 UnrelatedKeyIdInToken',
  ],
}

// https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
const fcm: Record<Subject, string[]> = {
  token: ['UNREGISTERED'],
  message: ['INVALID_ARGUMENT'],
  credentials: ['QUOTA_EXCEEDED'],
  provider: ['INTERNAL', 'UNAVAILABLE'],
  ambiguous: ['SENDER_ID_MISMATCH', 'THIRD_PARTY_AUTH_ERROR'],
}

const rows = (table: Record<Subject, string[]>) =>
  Object.entries(table).flatMap(([subject, answers]) =>
    answers.map((one) => [one, subject] as const),
  )

describe('what every documented answer is about', () => {
  test.each(rows(apns))('APNs: %s is about the %s', (answer, subject) => {
    const meaning = apnsMeanings[answer]
    expect(meaning && subjectOf[meaning]).toBe(subject)
  })

  test.each(rows(fcm))('FCM: %s is about the %s', (answer, subject) => {
    const meaning = fcmMeanings[answer]
    expect(meaning && subjectOf[meaning]).toBe(subject)
  })

  test('the rows above are all that the tables have', () => {
    expect(
      rows(apns)
        .map(([one]) => one)
        .sort(),
    ).toEqual(Object.keys(apnsMeanings).sort())
    expect(
      rows(fcm)
        .map(([one]) => one)
        .sort(),
    ).toEqual(Object.keys(fcmMeanings).sort())
  })

  test.each([
    [400, 'message'],
    [401, 'credentials'],
    [403, 'ambiguous'],
    [404, 'ambiguous'],
    [429, 'credentials'],
  ] as const)('FCM: a %i of the front end is about the %s', (status, subject) => {
    const [meaning] = fcmFrontEndMeanings[status] ?? []
    expect(meaning && subjectOf[meaning]).toBe(subject)
  })
})

test('only answers that can be about nothing but the credentials pause a lane at once', () => {
  const pausing = (table: Readonly<Record<string, string>>) =>
    Object.keys(table).filter((answer) =>
      ['misconfigured', 'renew-token'].includes(table[answer] ?? ''),
    )
  expect(pausing(apnsMeanings).sort()).toEqual([
    '403 BadCertificate',
    '403 ExpiredProviderToken',
    '403 InvalidProviderToken',
    '403 MissingProviderToken',
  ])
  expect(pausing(fcmMeanings)).toEqual([])
})

test('no status by itself costs a token or pauses a lane', () => {
  for (let status = 100; status < 600; status += 1) {
    const subject = subjectOf[meaningOfStatus(status)]
    expect(subject).not.toBe('token')
    if (subject === 'credentials') expect(status).toBe(429)
  }
})

test.each([
  ['BadTopic', { 'apns-push-type': 'voip' }, true],
  ['HTTP 403 TopicMismatch', { 'apns-push-type': 'widgets' }, true],
  ['DeviceTokenNotForTopic', { 'apns-topic': 'com.example.other' }, true],
  ['THIRD_PARTY_AUTH_ERROR', { 'apns-push-type': 'voip' }, true],
  // The type that it would have had anyway, or none.
  ['DeviceTokenNotForTopic', { 'apns-push-type': 'alert' }, false],
  ['DeviceTokenNotForTopic', { 'apns-push-type': 'background' }, false],
  ['DeviceTokenNotForTopic', { 'apns-priority': '5' }, false],
  ['BadTopic', {}, false],
  ['BadTopic', undefined, false],
  // No header of a message chooses the key.
  ['BadEnvironmentKeyIdInToken', { 'apns-push-type': 'voip' }, false],
  ['SENDER_ID_MISMATCH', { 'apns-push-type': 'voip' }, false],
] as const)('%s with headers %j is the message’s fault: %s', (reason, headers, isOwn) => {
  expect(isAboutOwnHeaders(reason, headers)).toBe(isOwn)
})
