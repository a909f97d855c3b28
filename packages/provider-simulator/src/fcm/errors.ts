import type { Refusal } from '../behaviours.ts'
import type { RefusalAnswer } from '../perform.ts'

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError'
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest'
const QUOTA_FAILURE = 'type.googleapis.com/google.rpc.QuotaFailure'
const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo'

/**
 * FCM's own error codes, with the status each comes with.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
 */
export const FCM_ERROR_CODES = {
  INVALID_ARGUMENT: {
    status: 400,
    code: 'INVALID_ARGUMENT',
    message: 'Request contains an invalid argument.',
  },
  THIRD_PARTY_AUTH_ERROR: {
    status: 401,
    code: 'UNAUTHENTICATED',
    message: 'Auth error from APNS or Web Push Service',
  },
  SENDER_ID_MISMATCH: { status: 403, code: 'PERMISSION_DENIED', message: 'SenderId mismatch' },
  UNREGISTERED: { status: 404, code: 'NOT_FOUND', message: 'Requested entity was not found.' },
  QUOTA_EXCEEDED: {
    status: 429,
    code: 'RESOURCE_EXHAUSTED',
    message: 'Resource has been exhausted (e.g. check quota).',
  },
  INTERNAL: { status: 500, code: 'INTERNAL', message: 'Internal error encountered.' },
  UNAVAILABLE: {
    status: 503,
    code: 'UNAVAILABLE',
    message: 'The service is currently unavailable.',
  },
} as const

export type FcmErrorCode = keyof typeof FCM_ERROR_CODES

/** Google's name for a status, where an error is not one of FCM's own. */
const CODE_OF_STATUS = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [429, 'RESOURCE_EXHAUSTED'],
  [500, 'INTERNAL'],
  [503, 'UNAVAILABLE'],
])

type Detail = { '@type': string } & Record<string, unknown>

interface GoogleError {
  status: number
  code: string
  message: string
  /** What the journal and the counters call it. */
  reason: string
  details: Detail[]
  retryAfterS?: number | undefined
}

/** An error in the JSON form of Google's APIs. */
function googleError(error: GoogleError): RefusalAnswer {
  const { status, code, message, reason, details, retryAfterS } = error
  const headers: Record<string, string> = { 'content-type': 'application/json; charset=UTF-8' }
  if (retryAfterS !== undefined) headers['retry-after'] = String(retryAfterS)
  const body = { code: status, message, status: code, ...(details.length > 0 ? { details } : {}) }
  return { status, reason, headers, body: JSON.stringify({ error: body }) }
}

/** One of FCM's own errors. */
export function fcmError(
  errorCode: FcmErrorCode,
  options: { message?: string; details?: Detail[]; retryAfterS?: number | undefined } = {},
): RefusalAnswer {
  const { status, code, message } = FCM_ERROR_CODES[errorCode]
  return googleError({
    ...{ status, code, reason: errorCode },
    message: options.message ?? message,
    details: [{ '@type': FCM_ERROR, errorCode }, ...(options.details ?? [])],
    retryAfterS: options.retryAfterS,
  })
}

/** A message that could be read but not sent; names the field. */
export function invalidArgument(field: string, message: string): RefusalAnswer {
  return fcmError('INVALID_ARGUMENT', { message, details: [fieldViolation(field, message)] })
}

/** A body that is not the message it should be: refused before FCM sees it, so without FcmError. */
export function unreadable(field: string, message: string): RefusalAnswer {
  const details = [fieldViolation(field, message)]
  return googleError({
    ...{ status: 400, code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' },
    ...{ message, details },
  })
}

/** An error of Google's front end, which says nothing about FCM. */
export function gatewayError(
  status: number,
  message: string,
  info?: { reason: string; metadata: Record<string, string> },
): RefusalAnswer {
  const code = CODE_OF_STATUS.get(status) ?? 'UNKNOWN'
  const details =
    info === undefined ? [] : [{ '@type': ERROR_INFO, domain: 'googleapis.com', ...info }]
  return googleError({ status, code, message, reason: code, details })
}

/** A token's behaviour in FCM's words. */
export function fcmAnswer(refusal: Refusal): RefusalAnswer {
  switch (refusal.kind) {
    case 'unregistered':
    case 'expired':
      return fcmError('UNREGISTERED')
    case 'bad-token':
      return invalidArgument(
        'message.token',
        'The registration token is not a valid FCM registration token',
      )
    case 'wrong-topic':
      return fcmError('SENDER_ID_MISMATCH')
    case 'throttled':
      return quotaExceeded('device', refusal.retry_after_s)
    case 'status':
      return statusAnswer(refusal)
  }
}

/** A quota of one device or of the whole project is used up. */
export function quotaExceeded(
  subject: 'device' | 'project',
  retryAfterS: number | undefined,
): RefusalAnswer {
  const violations = [{ subject, description: `Message rate exceeded for the ${subject}.` }]
  return fcmError('QUOTA_EXCEEDED', {
    details: [{ '@type': QUOTA_FAILURE, violations }],
    retryAfterS,
  })
}

/** Carries an FcmError only where the reason is one of FCM's own. */
function statusAnswer(refusal: Extract<Refusal, { kind: 'status' }>): RefusalAnswer {
  const { status, reason, retry_after_s: retryAfterS } = refusal
  const known = isFcmErrorCode(reason) ? FCM_ERROR_CODES[reason] : null
  const code = known?.code ?? CODE_OF_STATUS.get(status) ?? reason
  const details = known === null ? [] : [{ '@type': FCM_ERROR, errorCode: reason }]
  const message = known?.message ?? `The simulator was told to answer ${reason}.`
  return googleError({ status, code, message, reason, details, retryAfterS })
}

function isFcmErrorCode(reason: string): reason is FcmErrorCode {
  return Object.hasOwn(FCM_ERROR_CODES, reason)
}

function fieldViolation(field: string, description: string): Detail {
  return { '@type': BAD_REQUEST, fieldViolations: [{ field, description }] }
}
