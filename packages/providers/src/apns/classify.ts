import { type AnsweredOutcome, outcomeByStatus, unlistedReason } from '../outcome-of.ts'
import { retryAfterMs } from '../retry-after.ts'

/** An answer's meaning; two of them ask for one more call before there is an outcome. */
export type ApnsAnswer =
  | AnsweredOutcome
  /** None of this environment's tokens: proof of death only if the other one says so too. */
  | { kind: 'other-environment' }
  /** The provider token is too old: renew it once. */
  | { kind: 'renew-token' }

type Meaning =
  | Exclude<ApnsAnswer['kind'], 'accepted' | 'throttled'>
  | 'throttled-token'
  | 'throttled-credential'

/**
 * Apple's table of statuses and reasons, and what each of them means to us.
 * https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
const meanings: Readonly<Record<string, Meaning>> = {
  '400 BadCollapseId': 'message-refused',
  // Malformed, or of the other environment.
  '400 BadDeviceToken': 'other-environment',
  '400 BadExpirationDate': 'message-refused',
  '400 BadMessageId': 'message-refused',
  '400 BadPriority': 'message-refused',
  '400 BadTopic': 'misconfigured',
  '400 DeviceTokenNotForTopic': 'misconfigured',
  '400 DuplicateHeaders': 'message-refused',
  '400 IdleTimeout': 'unavailable',
  '400 InvalidPushType': 'message-refused',
  '400 MissingDeviceToken': 'message-refused',
  '400 MissingTopic': 'misconfigured',
  '400 PayloadEmpty': 'message-refused',
  '400 TopicDisallowed': 'misconfigured',
  '403 BadCertificate': 'misconfigured',
  '403 BadCertificateEnvironment': 'misconfigured',
  '403 BadEnvironmentKeyIdInToken': 'misconfigured',
  // The same, as APNs was seen to spell it.
  '403 BadEnvironmentKeyInToken': 'misconfigured',
  '403 ExpiredProviderToken': 'renew-token',
  '403 Forbidden': 'misconfigured',
  '403 InvalidProviderToken': 'misconfigured',
  '403 MissingProviderToken': 'misconfigured',
  '403 UnrelatedKeyIdInToken': 'misconfigured',
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

/** Every reason that the table knows. */
export const apnsReasons: readonly string[] = Object.keys(meanings).map((key) => key.slice(4))

/** What an answer of APNs means. `retryAfter` is the header, `now` in ms since the epoch. */
export function classifyApns(
  status: number,
  body: string,
  retryAfter: string | null,
  now: number,
): ApnsAnswer {
  if (status === 200) return { kind: 'accepted', environment: null }
  const { reason, timestamp } = parseBody(body)
  const afterMs = retryAfterMs(retryAfter, now)
  const key = `${status} ${reason}`
  const meaning = Object.hasOwn(meanings, key) ? meanings[key] : undefined
  if (reason === null || meaning === undefined) {
    return outcomeByStatus(status, unlistedReason(status, reason), afterMs)
  }
  switch (meaning) {
    case 'other-environment':
    case 'renew-token':
      return { kind: meaning }
    case 'message-refused':
    case 'misconfigured':
      return { kind: meaning, reason }
    case 'token-dead':
      return { kind: meaning, reason, since: timestamp }
    case 'throttled-token':
      return { kind: 'throttled', reason, scope: 'token', afterMs }
    case 'throttled-credential':
      return { kind: 'throttled', reason, scope: 'credential', afterMs }
    case 'unavailable':
      return { kind: meaning, reason, afterMs, mayHaveArrived: false }
  }
}

/** APNs' error body, `{"reason": …, "timestamp": ms}`; nulls where it is something else. */
function parseBody(body: string): { reason: string | null; timestamp: number | null } {
  const parsed = parseJson(body)
  if (typeof parsed !== 'object' || parsed === null) return { reason: null, timestamp: null }
  const reason = 'reason' in parsed && typeof parsed.reason === 'string' ? parsed.reason : null
  const timestamp = 'timestamp' in parsed ? parsed.timestamp : null
  return { reason, timestamp: typeof timestamp === 'number' ? timestamp : null }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
