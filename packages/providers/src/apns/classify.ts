import type { Outcome } from '@pushkeep/domain'
import { retryAfterMs } from '../retry-after.ts'

/** An answer's meaning; two of them ask for one more call before there is an outcome. */
export type ApnsAnswer =
  | Outcome
  /** None of this environment's tokens: proof of death only if the other one says so too. */
  | { kind: 'other-environment' }
  /** The provider token is too old: renew it once. */
  | { kind: 'renew-token' }

type Meaning =
  | 'other-environment'
  | 'renew-token'
  | 'message-refused'
  | 'misconfigured'
  | 'token-dead'
  | 'throttled-token'
  | 'throttled-credential'
  | 'unavailable'

// https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
// BadPath and MethodNotAllowed are faults of ours: the message is refused, no token suffers.
const meanings: Record<string, Meaning> = {
  BadDeviceToken: 'other-environment',

  BadCollapseId: 'message-refused',
  BadExpirationDate: 'message-refused',
  BadMessageId: 'message-refused',
  BadPriority: 'message-refused',
  DuplicateHeaders: 'message-refused',
  InvalidPushType: 'message-refused',
  MissingDeviceToken: 'message-refused',
  PayloadEmpty: 'message-refused',
  PayloadTooLarge: 'message-refused',
  BadPath: 'message-refused',
  MethodNotAllowed: 'message-refused',

  BadTopic: 'misconfigured',
  MissingTopic: 'misconfigured',
  TopicDisallowed: 'misconfigured',
  DeviceTokenNotForTopic: 'misconfigured',
  BadCertificate: 'misconfigured',
  BadCertificateEnvironment: 'misconfigured',
  BadEnvironmentKeyIdInToken: 'misconfigured',
  BadEnvironmentKeyInToken: 'misconfigured',
  Forbidden: 'misconfigured',
  InvalidProviderToken: 'misconfigured',
  MissingProviderToken: 'misconfigured',
  UnrelatedKeyIdInToken: 'misconfigured',
  ExpiredProviderToken: 'renew-token',

  Unregistered: 'token-dead',
  ExpiredToken: 'token-dead',

  TooManyRequests: 'throttled-token',
  TooManyProviderTokenUpdates: 'throttled-credential',

  IdleTimeout: 'unavailable',
  InternalServerError: 'unavailable',
  ServiceUnavailable: 'unavailable',
  Shutdown: 'unavailable',
}

/** An unknown reason is judged by its status, and never against the token. */
function meaningOfStatus(status: number): Meaning {
  if (status === 403) return 'misconfigured'
  if (status === 429) return 'throttled-token'
  if (status >= 500) return 'unavailable'
  return 'message-refused'
}

/** What an answer of APNs other than 200 means. `retryAfter` is the header, `now` in ms. */
export function classifyApns(
  status: number,
  body: string,
  retryAfter: string | null,
  now: number,
): ApnsAnswer {
  if (status === 200) return { kind: 'accepted', environment: null }
  const answer = parse(body)
  const reason = answer.reason ?? `status ${status}`
  const meaning = (Object.hasOwn(meanings, reason) && meanings[reason]) || meaningOfStatus(status)
  const afterMs = retryAfterMs(retryAfter, now)
  switch (meaning) {
    case 'other-environment':
    case 'renew-token':
      return { kind: meaning }
    case 'message-refused':
    case 'misconfigured':
      return { kind: meaning, reason }
    case 'token-dead':
      return { kind: meaning, reason, since: answer.timestamp }
    case 'throttled-token':
      return { kind: 'throttled', reason, scope: 'token', afterMs }
    case 'throttled-credential':
      return { kind: 'throttled', reason, scope: 'credential', afterMs }
    case 'unavailable':
      return { kind: 'unavailable', reason, afterMs, mayHaveArrived: false }
  }
}

/** Reasons are words of Apple's; whatever else stands there is not repeated. */
function parse(body: string): { reason: string | null; timestamp: number | null } {
  try {
    const { reason, timestamp } = JSON.parse(body)
    return {
      reason: typeof reason === 'string' && /^[A-Za-z]{1,60}$/.test(reason) ? reason : null,
      timestamp: typeof timestamp === 'number' && Number.isFinite(timestamp) ? timestamp : null,
    }
  } catch {
    return { reason: null, timestamp: null }
  }
}

/** Every reason that the table knows. */
export const apnsReasons: readonly string[] = Object.keys(meanings)
