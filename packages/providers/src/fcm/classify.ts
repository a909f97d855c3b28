import { z } from 'zod'
import { type AnsweredOutcome, outcomeByStatus, unlistedReason } from '../outcome-of.ts'
import { retryAfterMs } from '../retry-after.ts'

/** What one answer of FCM means: an outcome, or that a new access token has to tell. */
export type FcmAnswer = AnsweredOutcome | { kind: 'renew-token' }

type Meaning =
  | Exclude<FcmAnswer['kind'], 'accepted' | 'renew-token'>
  | 'message-refused-or-token-dead'

/**
 * Google's table of error codes, with what each of them means to us.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
 */
export const fcmMeanings: Readonly<Record<string, Meaning>> = {
  INVALID_ARGUMENT: 'message-refused-or-token-dead',
  UNREGISTERED: 'token-dead',
  SENDER_ID_MISMATCH: 'misconfigured',
  QUOTA_EXCEEDED: 'throttled',
  UNAVAILABLE: 'unavailable',
  INTERNAL: 'unavailable',
  THIRD_PARTY_AUTH_ERROR: 'misconfigured',
}

// "Retry after 60 s where no Retry-After is given":
// https://firebase.google.com/docs/cloud-messaging/scale-fcm
const quotaAfterMs = 60_000

const ErrorBody = z.object({
  error: z.object({
    details: z
      .array(
        z.looseObject({
          '@type': z.string(),
          errorCode: z.string().optional(),
          fieldViolations: z.array(z.looseObject({ field: z.string().optional() })).optional(),
          violations: z.array(z.looseObject({ subject: z.string().optional() })).optional(),
        }),
      )
      .optional(),
  }),
})

/** What an error body says beyond its status. */
interface Details {
  errorCode: string | null
  /** A violated field is the token's, and not the message's. */
  isAboutToken: boolean
  /** The quota that ran out is the device's, and not the project's. */
  isDeviceQuota: boolean
}

/**
 * The meaning of an answer, by the details of its body alone: the same statuses come from Google's
 * front end for a wrong project or path. `now` in ms since the epoch, for a Retry-After with a date.
 */
export function classifyFcm(
  status: number,
  body: string,
  retryAfter: string | null,
  now: number,
): FcmAnswer {
  if (status === 200) return { kind: 'accepted', environment: null }
  const afterMs = retryAfterMs(retryAfter, now)
  const { errorCode, isAboutToken, isDeviceQuota } = parseBody(body)
  const reason = errorCode ?? ''
  const meaning = Object.hasOwn(fcmMeanings, reason) ? fcmMeanings[reason] : undefined
  switch (meaning) {
    case undefined:
      return withoutMeaning(status, errorCode, afterMs)
    case 'token-dead':
      return { kind: meaning, reason, since: null }
    case 'message-refused-or-token-dead':
      if (!isAboutToken) return { kind: 'message-refused', reason }
      return { kind: 'token-dead', reason, since: null }
    case 'message-refused':
    case 'misconfigured':
      return { kind: meaning, reason }
    case 'throttled': {
      const scope = isDeviceQuota ? 'token' : 'credential'
      return { kind: meaning, reason, scope, afterMs: afterMs ?? quotaAfterMs }
    }
    case 'unavailable':
      return { kind: meaning, reason, afterMs, mayHaveArrived: false }
  }
}

/** Errors of Google's front end: they say nothing about the token and little about the message. */
function withoutMeaning(
  status: number,
  errorCode: string | null,
  afterMs: number | null,
): FcmAnswer {
  const reason = unlistedReason(status, errorCode)
  if (errorCode === null) {
    if (status === 401) return { kind: 'renew-token' }
    // 403: no role or the API is off. 404: there is no such project.
    if (status === 403) return { kind: 'misconfigured', reason: 'PERMISSION_DENIED' }
    if (status === 404) return { kind: 'misconfigured', reason: 'NOT_FOUND' }
    if (status === 400) return { kind: 'message-refused', reason: 'INVALID_ARGUMENT' }
    if (status === 429) {
      // The project's quota of messages a minute answers so (firebase-admin-go issue 719).
      const scope = 'credential'
      return {
        kind: 'throttled',
        reason: 'RESOURCE_EXHAUSTED',
        scope,
        afterMs: afterMs ?? quotaAfterMs,
      }
    }
  }
  return outcomeByStatus(status, reason, afterMs)
}

function parseBody(body: string): Details {
  const parsed = ErrorBody.safeParse(parseJson(body))
  const details = parsed.success ? (parsed.data.error.details ?? []) : []
  const ofType = (name: string) => details.filter((detail) => detail['@type'].endsWith(`.${name}`))
  const fields = ofType('BadRequest').flatMap((detail) => detail.fieldViolations ?? [])
  const quotas = ofType('QuotaFailure').flatMap((detail) => detail.violations ?? [])
  return {
    errorCode: ofType('FcmError')[0]?.errorCode ?? null,
    isAboutToken: fields.some(({ field }) => field === 'message.token'),
    isDeviceQuota: quotas.some(({ subject }) => /device/i.test(subject ?? '')),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
