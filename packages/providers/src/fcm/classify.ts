import { type AnswerMeaning, fcmFrontEndMeanings, fcmMeanings } from '@pushkeep/domain'
import { z } from 'zod'
import { type AnsweredOutcome, outcomeByStatus, unlistedReason } from '../outcome-of.ts'
import { retryAfterMs } from '../retry-after.ts'

/** What one answer of FCM means: an outcome, or that a new access token has to tell. */
export type FcmAnswer = AnsweredOutcome | { kind: 'renew-token' }

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
  const details = parseBody(body)
  const reason = details.errorCode ?? ''
  const meaning = Object.hasOwn(fcmMeanings, reason) ? fcmMeanings[reason] : undefined
  if (meaning !== undefined) return answerOf(meaning, reason, details, afterMs)
  const ofFrontEnd = details.errorCode === null ? fcmFrontEndMeanings[status] : undefined
  if (ofFrontEnd !== undefined) return answerOf(...ofFrontEnd, details, afterMs)
  return outcomeByStatus(status, unlistedReason(status, details.errorCode), afterMs)
}

function answerOf(
  meaning: AnswerMeaning,
  reason: string,
  { isAboutToken, isDeviceQuota }: Details,
  afterMs: number | null,
): FcmAnswer {
  switch (meaning) {
    case 'token-dead':
      return { kind: meaning, reason, since: null }
    case 'message-refused-or-token-dead':
      if (!isAboutToken) return { kind: 'message-refused', reason }
      return { kind: 'token-dead', reason, since: null }
    case 'renew-token':
      return { kind: meaning }
    case 'message-refused':
    case 'misconfigured':
    case 'ambiguous':
      return { kind: meaning, reason }
    // FCM has one environment.
    case 'other-environment':
      return { kind: 'ambiguous', reason }
    case 'throttled':
    case 'throttled-token':
    case 'throttled-credential': {
      const isOfToken = meaning === 'throttled-token' || (meaning === 'throttled' && isDeviceQuota)
      const scope = isOfToken ? 'token' : 'credential'
      return { kind: 'throttled', reason, scope, afterMs: afterMs ?? quotaAfterMs }
    }
    case 'unavailable':
      return { kind: meaning, reason, afterMs, mayHaveArrived: false }
  }
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
