import type { Outcome } from '@pushkeep/domain'
import type { RequestResult } from './exchange.ts'

/** What it means that a request has no answer. */
export function outcomeOfSilence(
  result: Exclude<RequestResult, { kind: 'answered' }>,
): Outcome & { kind: 'unavailable' } {
  const { kind, reason } = result
  return { kind: 'unavailable', reason, afterMs: null, mayHaveArrived: kind === 'unknown' }
}

const unlisted = 'HTTP '

/** The name of an answer that the provider's documents do not list. Safe as a metric's label. */
export function unlistedReason(status: number, reason: string | null): string {
  const isName = reason !== null && /^[A-Za-z_]{1,40}$/.test(reason)
  return isName ? `${unlisted}${status} ${reason}` : `${unlisted}${status}`
}

/** Whether an outcome goes back to an answer that the provider's documents do not list. */
export function isUnlisted(outcome: Outcome): boolean {
  return outcome.kind !== 'accepted' && outcome.reason.startsWith(unlisted)
}

/**
 * The meaning of an answer by its status alone, where nothing else is known. Never about the
 * token: what nobody documented is no proof of its death.
 */
export function outcomeByStatus(status: number, reason: string, afterMs: number | null): Outcome {
  if (status >= 200 && status < 300) return { kind: 'accepted', environment: null }
  if (status === 401 || status === 403) return { kind: 'misconfigured', reason }
  if (status === 429) return { kind: 'throttled', reason, scope: 'credential', afterMs }
  if (status === 408 || status < 400 || status >= 500) {
    return { kind: 'unavailable', reason, afterMs, mayHaveArrived: false }
  }
  return { kind: 'message-refused', reason }
}
