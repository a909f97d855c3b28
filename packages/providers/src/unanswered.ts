import type { Outcome } from '@pushkeep/domain'
import type { RequestResult } from './exchange.ts'

/** What a request without an answer means: certainly not processed, or unknown (R5). */
export function unansweredOutcome(result: Exclude<RequestResult, { kind: 'answered' }>): Outcome {
  return {
    kind: 'unavailable',
    reason: result.reason,
    afterMs: null,
    mayHaveArrived: result.kind === 'unknown',
  }
}
