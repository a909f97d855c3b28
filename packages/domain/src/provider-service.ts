import type { Outcome } from './outcome.ts'

/**
 * What an outcome says of the provider, whatever it says of token and message. `served`: the
 * provider answered. `refused`: it answered that it serves nothing now. `unreachable`: no connection
 * to it can be made. `unknown`: nothing can be told, since no answer came or nothing was sent.
 */
export type ProviderService = 'served' | 'refused' | 'unreachable' | 'unknown'

/** The service that an outcome shows. */
export function serviceOf(outcome: Outcome): ProviderService {
  switch (outcome.kind) {
    case 'accepted':
    case 'token-dead':
    case 'message-refused':
    case 'misconfigured':
    case 'ambiguous':
      return 'served'
    case 'throttled':
      return outcome.scope === 'token' ? 'served' : 'refused'
    case 'unavailable':
      if (outcome.mayHaveArrived) return 'unknown'
      return outcome.isUnreachable ? 'unreachable' : 'refused'
    case 'unsent':
      return 'unknown'
  }
}

/** How long the provider itself asks to be left alone, in ms; 0 where it says nothing. */
export function askedPauseMs(outcome: Outcome): number {
  const isAsked = outcome.kind === 'throttled' || outcome.kind === 'unavailable'
  return isAsked ? (outcome.afterMs ?? 0) : 0
}

/** Answers of a short time, and the different tokens that they are about. */
export interface AnswerCounts {
  answers: number
  refusedAnswers: number
  tokens: number
  refusedTokens: number
}

/** When answers count as a provider that does not serve. */
export const serviceRule = {
  /** Answers older than this do not count, in ms. */
  windowMs: 10_000,
  answersMin: 20,
  tokensMin: 10,
  shareMin: 0.5,
}

/**
 * Whether these answers prove that the provider does not serve: enough of them, about enough
 * different tokens, and a share of refusals both by answer and by token. One token that is asked
 * for again and again proves nothing.
 */
export function provesNoService(counts: AnswerCounts): boolean {
  const { answers, refusedAnswers, tokens, refusedTokens } = counts
  if (answers < serviceRule.answersMin || tokens < serviceRule.tokensMin) return false
  return (
    refusedAnswers >= answers * serviceRule.shareMin &&
    refusedTokens >= tokens * serviceRule.shareMin
  )
}
