import { apnsMeanings } from '@pushkeep/domain'
import { type AnsweredOutcome, outcomeByStatus, unlistedReason } from '../outcome-of.ts'
import { retryAfterMs } from '../retry-after.ts'

/** An answer's meaning; two of them ask for one more call before there is an outcome. */
export type ApnsAnswer =
  | AnsweredOutcome
  /** None of this environment's tokens: proof of death only if the other one says so too. */
  | { kind: 'other-environment' }
  /** The provider token is too old: renew it once. */
  | { kind: 'renew-token' }

/** Every reason that the table knows. */
export const apnsReasons: readonly string[] = Object.keys(apnsMeanings).map((key) => key.slice(4))

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
  const meaning = Object.hasOwn(apnsMeanings, key) ? apnsMeanings[key] : undefined
  if (reason === null || meaning === undefined) {
    return outcomeByStatus(status, unlistedReason(status, reason), afterMs)
  }
  switch (meaning) {
    case 'other-environment':
    case 'renew-token':
      return { kind: meaning }
    case 'misconfigured':
    case 'ambiguous':
      return { kind: meaning, reason }
    case 'message-refused':
    case 'message-refused-or-token-dead':
      return { kind: 'message-refused', reason }
    case 'token-dead':
      return { kind: meaning, reason, since: timestamp }
    case 'throttled-token':
      return { kind: 'throttled', reason, scope: 'token', afterMs }
    case 'throttled-credential':
    case 'throttled':
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
