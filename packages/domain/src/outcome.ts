import type { Environment } from './platform.ts'

/**
 * What one call to a push provider meant for us. Every answer becomes exactly one of these, and so
 * does the lack of one. A provider's "no" is data, never an exception.
 */
export type Outcome =
  /** The provider took the push. `environment` is set where APNs' other host was the right one. */
  | { kind: 'accepted'; environment: Environment | null }
  /** About this token, for ever. `since`: when APNs confirmed it (ms since the epoch), if it said. */
  | { kind: 'token-dead'; reason: string; since: number | null }
  /** About this message, for ever: the same content is refused for every device. */
  | { kind: 'message-refused'; reason: string }
  /** About our credentials and nothing else. Never costs a token (R10). */
  | { kind: 'misconfigured'; reason: string }
  /** About the token, the message or the credentials: the answer does not tell which. Never costs a token. */
  | { kind: 'ambiguous'; reason: string }
  /** About our speed, toward this token or with this credential. */
  | { kind: 'throttled'; reason: string; scope: 'token' | 'credential'; afterMs: number | null }
  /** No service now. `mayHaveArrived`: the request was written and the answer is unknown (R5). */
  | {
      kind: 'unavailable'
      reason: string
      afterMs: number | null
      mayHaveArrived: boolean
      /** No connection to the provider can be made. */
      isUnreachable?: true
    }
  /** It waited for room so long that the device has to be looked at again before it is sent (R6). */
  | { kind: 'unsent'; reason: string }

/** What an answer of a provider, or the lack of one, can mean; what was not sent has none. */
export type AnswerKind = Exclude<Outcome['kind'], 'unsent'>

/** No answer yet, of any kind. */
export function noAnswers(): Record<AnswerKind, number> {
  return {
    accepted: 0,
    'token-dead': 0,
    'message-refused': 0,
    misconfigured: 0,
    ambiguous: 0,
    throttled: 0,
    unavailable: 0,
  }
}
