import { isApnsPushType } from './apns-push-type.ts'

/**
 * What an answer of a push provider is about. `ambiguous`: the token, the message or the credentials; the
 * answer alone does not tell which.
 */
export type Subject = 'token' | 'message' | 'credentials' | 'provider' | 'ambiguous'

/** What a documented answer means: what is to be done follows from it alone. */
export type AnswerMeaning =
  /** The token has ended. */
  | 'token-dead'
  /** None of this environment's tokens: it has ended only if the other environment says so, too. */
  | 'other-environment'
  /** Too many pushes to this token. */
  | 'throttled-token'
  | 'message-refused'
  /** About the token where the answer names it as the wrong field, else about the message. */
  | 'message-refused-or-token-dead'
  | 'misconfigured'
  /** The provider token is too old: a renewed one tells whether the credentials are at fault. */
  | 'renew-token'
  | 'throttled-credential'
  /** Too many pushes: to the token where the answer names the device's quota, else with the credentials. */
  | 'throttled'
  | 'unavailable'
  | 'ambiguous'

/** What each meaning is about. */
export const subjectOf: Readonly<Record<AnswerMeaning, Subject>> = {
  'token-dead': 'token',
  'other-environment': 'token',
  'throttled-token': 'token',
  'message-refused': 'message',
  'message-refused-or-token-dead': 'message',
  misconfigured: 'credentials',
  'renew-token': 'credentials',
  'throttled-credential': 'credentials',
  throttled: 'credentials',
  unavailable: 'provider',
  ambiguous: 'ambiguous',
}

/**
 * Apple's table of statuses and reasons. Only what can be about nothing but the credentials is
 * `misconfigured`, which pauses a lane: a token of another app and a topic of another push type bring
 * refusals that name the topic or the key as well.
 * https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
export const apnsMeanings: Readonly<Record<string, AnswerMeaning>> = {
  '400 BadCollapseId': 'message-refused',
  // Malformed, or of the other environment.
  '400 BadDeviceToken': 'other-environment',
  '400 BadExpirationDate': 'message-refused',
  '400 BadMessageId': 'message-refused',
  '400 BadPriority': 'message-refused',
  '400 BadTopic': 'ambiguous',
  '400 DeviceTokenNotForTopic': 'ambiguous',
  '400 DuplicateHeaders': 'message-refused',
  '400 IdleTimeout': 'unavailable',
  '400 InvalidPushType': 'message-refused',
  '400 MissingDeviceToken': 'message-refused',
  '400 MissingTopic': 'ambiguous',
  '400 PayloadEmpty': 'message-refused',
  '400 TopicDisallowed': 'ambiguous',
  '403 BadCertificate': 'misconfigured',
  // The environment comes from the device: another device's may be the right one.
  '403 BadCertificateEnvironment': 'ambiguous',
  '403 BadEnvironmentKeyIdInToken': 'ambiguous',
  // The same, as APNs was seen to spell it.
  '403 BadEnvironmentKeyInToken': 'ambiguous',
  '403 ExpiredProviderToken': 'renew-token',
  '403 Forbidden': 'ambiguous',
  '403 InvalidProviderToken': 'misconfigured',
  '403 MissingProviderToken': 'misconfigured',
  '403 UnrelatedKeyIdInToken': 'ambiguous',
  // Faults of ours: no token suffers.
  '404 BadPath': 'message-refused',
  '405 MethodNotAllowed': 'message-refused',
  // The only answers that say of the token itself that it has ended.
  '410 ExpiredToken': 'token-dead',
  '410 Unregistered': 'token-dead',
  '413 PayloadTooLarge': 'message-refused',
  '429 TooManyProviderTokenUpdates': 'throttled-credential',
  '429 TooManyRequests': 'throttled-token',
  '500 InternalServerError': 'unavailable',
  '503 ServiceUnavailable': 'unavailable',
  '503 Shutdown': 'unavailable',
}

/**
 * Google's table of FCM's error codes.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
 */
export const fcmMeanings: Readonly<Record<string, AnswerMeaning>> = {
  INVALID_ARGUMENT: 'message-refused-or-token-dead',
  UNREGISTERED: 'token-dead',
  // A token of another Firebase project, or another project's service account.
  SENDER_ID_MISMATCH: 'ambiguous',
  QUOTA_EXCEEDED: 'throttled',
  UNAVAILABLE: 'unavailable',
  INTERNAL: 'unavailable',
  // APNs refuses the key that Firebase has, for iOS tokens alone, or for this token's environment.
  THIRD_PARTY_AUTH_ERROR: 'ambiguous',
}

/**
 * Google's front end, which answers with a status and no FcmError: 401 once a renewed access token is
 * refused as well, 403 without the role or the API, 404 without the project.
 */
export const fcmFrontEndMeanings: Readonly<Record<number, [AnswerMeaning, reason: string]>> = {
  400: ['message-refused', 'INVALID_ARGUMENT'],
  401: ['renew-token', 'UNAUTHENTICATED'],
  403: ['ambiguous', 'PERMISSION_DENIED'],
  404: ['ambiguous', 'NOT_FOUND'],
  // The project's quota of messages a minute.
  429: ['throttled-credential', 'RESOURCE_EXHAUSTED'],
}

/** What an answer means that the provider does not document: never that the token is dead. */
export function meaningOfStatus(
  status: number,
): Extract<AnswerMeaning, 'throttled-credential' | 'unavailable' | 'ambiguous'> {
  if (status === 429) return 'throttled-credential'
  return status === 408 || status < 400 || status >= 500 ? 'unavailable' : 'ambiguous'
}

/** Refusals that name the key or the project: no header of a message brings them about. */
const aboutTheKey: ReadonlySet<string> = new Set([
  'BadEnvironmentKeyIdInToken',
  'BadEnvironmentKeyInToken',
  'UnrelatedKeyIdInToken',
  'BadDeviceToken',
  'SENDER_ID_MISMATCH',
  'PERMISSION_DENIED',
  'NOT_FOUND',
  'UNAUTHENTICATED',
])

/** Push types that go to the bundle id itself: naming one changes no topic. */
const plainTypes: ReadonlySet<unknown> = new Set(['alert', 'background'])

/**
 * Whether APNs looked for a token under another topic than the app's own: it answers `BadDeviceToken` for an
 * ordinary token, too, and that says nothing of pushes to the app itself.
 */
export function isAboutOtherTopic(
  reason: string,
  headers: Readonly<Record<string, unknown>> | undefined,
): boolean {
  const type = headers?.['apns-push-type']
  if (reason !== 'BadDeviceToken' || typeof type !== 'string' || !isApnsPushType(type)) return false
  return !plainTypes.has(type)
}

/**
 * Whether an ambiguous refusal is about what the caller put into the message's own headers: APNs', or
 * those that FCM passes on to it. `headers` are of the provider that refused.
 */
export function isAboutOwnHeaders(
  reason: string,
  headers: Readonly<Record<string, unknown>> | undefined,
): boolean {
  if (headers === undefined || aboutTheKey.has(reason)) return false
  const type = headers['apns-push-type']
  return 'apns-topic' in headers || (type !== undefined && !plainTypes.has(type))
}
