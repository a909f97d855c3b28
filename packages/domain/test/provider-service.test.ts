import { expect, test } from 'vitest'
import { type Outcome, provesNoService, serviceOf } from '../src/index.ts'

const unavailable = { kind: 'unavailable', reason: 'x', afterMs: null } as const

const services: [Outcome, string][] = [
  [{ kind: 'accepted', environment: null }, 'served'],
  [{ kind: 'token-dead', reason: 'Unregistered', since: null }, 'served'],
  [{ kind: 'message-refused', reason: 'PayloadTooLarge' }, 'served'],
  [{ kind: 'misconfigured', reason: 'InvalidProviderToken' }, 'served'],
  [{ kind: 'throttled', reason: 'x', scope: 'token', afterMs: 1 }, 'served'],
  [{ kind: 'throttled', reason: 'x', scope: 'credential', afterMs: 1 }, 'refused'],
  [{ ...unavailable, mayHaveArrived: false }, 'refused'],
  [{ ...unavailable, mayHaveArrived: false, isUnreachable: true }, 'unreachable'],
  [{ ...unavailable, mayHaveArrived: true }, 'unknown'],
  [{ kind: 'unsent', reason: 'queue-timeout' }, 'unknown'],
]

test.each(services)('%j shows a provider that %s', (outcome, expected) => {
  expect(serviceOf(outcome)).toBe(expected)
})

test.each([
  [{ answers: 19, refusedAnswers: 19, tokens: 19, refusedTokens: 19 }, false],
  [{ answers: 20, refusedAnswers: 20, tokens: 9, refusedTokens: 9 }, false],
  [{ answers: 20, refusedAnswers: 10, tokens: 20, refusedTokens: 10 }, true],
  [{ answers: 20, refusedAnswers: 9, tokens: 20, refusedTokens: 9 }, false],
  // One token that is asked for again and again is half of the answers, and one of many tokens.
  [{ answers: 40, refusedAnswers: 30, tokens: 11, refusedTokens: 1 }, false],
  [{ answers: 40, refusedAnswers: 10, tokens: 12, refusedTokens: 10 }, false],
])('%j prove no service: %s', (counts, expected) => {
  expect(provesNoService(counts)).toBe(expected)
})
