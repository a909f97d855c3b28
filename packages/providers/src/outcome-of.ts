import { meaningOfStatus, type Outcome } from '@pushkeep/domain'
import type { RequestResult } from './exchange.ts'

/** What an answer may mean: it was sent. */
export type AnsweredOutcome = Exclude<Outcome, { kind: 'unsent' }>

/** What a request without an answer means: not sent, certainly not processed, or unknown (R5). */
export function outcomeOfSilence(result: Exclude<RequestResult, { kind: 'answered' }>): Outcome {
  const { kind, reason } = result
  switch (kind) {
    case 'unsent':
      return { kind, reason }
    case 'unreachable':
      return { ...unanswered(reason, false), isUnreachable: true }
    case 'not-processed':
      return unanswered(reason, false)
    case 'unknown':
      return unanswered(reason, true)
  }
}

function unanswered(reason: string, mayHaveArrived: boolean) {
  return { kind: 'unavailable', reason, afterMs: null, mayHaveArrived } as const
}

/** The name of an answer that the provider's documents do not list. Fit for a metric's label. */
export function unlistedReason(status: number, reason: string | null): string {
  // A name is short and has no digits, so that no token can pass for one.
  const isName = reason !== null && /^[A-Za-z_]{1,40}$/.test(reason)
  return isName ? `HTTP ${status} ${reason}` : `HTTP ${status}`
}

/**
 * The meaning of an answer by its status alone, where nothing else is known. Never about the
 * token: what nobody documented is no proof of its death.
 */
export function outcomeByStatus(
  status: number,
  reason: string,
  afterMs: number | null,
): AnsweredOutcome {
  if (status >= 200 && status < 300) return { kind: 'accepted', environment: null }
  const meaning = meaningOfStatus(status)
  switch (meaning) {
    case 'throttled-credential':
      return { kind: 'throttled', reason, scope: 'credential', afterMs }
    case 'unavailable':
      return { kind: meaning, reason, afterMs, mayHaveArrived: false }
    case 'ambiguous':
      return { kind: meaning, reason }
  }
}
