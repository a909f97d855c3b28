import type { Refusal } from '../behaviours.ts'
import type { RefusalAnswer } from '../perform.ts'
import { APNS_REASONS, type ApnsReason } from './reasons.ts'

/** What a refusal carries beside its reason. */
interface Extras {
  since?: number | undefined
  retryAfterS?: number | undefined
}

/** A documented refusal of one push. */
export function apnsRefusal(id: string, reason: ApnsReason, extras: Extras = {}): RefusalAnswer {
  return refusalAnswer(id, APNS_REASONS[reason], reason, extras)
}

/** A token's behaviour in APNs' words. */
export function apnsAnswer(id: string, refusal: Refusal, now: number): RefusalAnswer {
  switch (refusal.kind) {
    case 'unregistered':
      return apnsRefusal(id, 'Unregistered', { since: refusal.since ?? now })
    case 'expired':
      return apnsRefusal(id, 'ExpiredToken', { since: refusal.since ?? now })
    case 'bad-token':
      return apnsRefusal(id, 'BadDeviceToken')
    case 'wrong-topic':
      return apnsRefusal(id, 'DeviceTokenNotForTopic')
    case 'throttled':
      return apnsRefusal(id, 'TooManyRequests', { retryAfterS: refusal.retry_after_s })
    case 'status':
      return refusalAnswer(id, refusal.status, refusal.reason, {
        retryAfterS: refusal.retry_after_s,
        since: refusal.since ?? now,
      })
  }
}

function refusalAnswer(
  id: string,
  status: number,
  reason: string,
  { since, retryAfterS }: Extras,
): RefusalAnswer {
  // Only a 410 says since when the token is dead.
  const body = status === 410 ? { reason, timestamp: since } : { reason }
  const headers: Record<string, string> = { 'apns-id': id }
  if (retryAfterS !== undefined) headers['retry-after'] = String(retryAfterS)
  return { status, reason, headers, body: JSON.stringify(body) }
}
