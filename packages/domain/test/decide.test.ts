import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Attempt,
  backoffMs,
  decide,
  type Outcome,
  providerBackoff,
  unknownAttemptsMax,
  type Verdict,
} from '../src/index.ts'

const attempt: Attempt = {
  attempt: 1,
  now: 1_000_000,
  expiresAt: 1_000_000 + 86_400_000,
  registeredAt: 900_000,
  onUnknown: 'retry',
}
const half = () => 0.5
const unavailable: Outcome = {
  kind: 'unavailable',
  reason: 'ServiceUnavailable',
  afterMs: null,
  mayHaveArrived: false,
}
const unknown: Outcome = { ...unavailable, reason: 'connection_lost', mayHaveArrived: true }

const rows: [string, Outcome, Partial<Attempt>, Verdict][] = [
  [
    'accepted is sent',
    { kind: 'accepted', environment: null },
    {},
    { kind: 'settle', status: 'sent', reason: null, device: 'accepted' },
  ],
  [
    'a dead token without a time is dead',
    { kind: 'token-dead', reason: 'UNREGISTERED', since: null },
    {},
    { kind: 'settle', status: 'bounced', reason: 'UNREGISTERED', device: 'token-dead' },
  ],
  [
    'a 410 later than the registration is proof',
    { kind: 'token-dead', reason: 'Unregistered', since: 900_001 },
    {},
    { kind: 'settle', status: 'bounced', reason: 'Unregistered', device: 'token-dead' },
  ],
  [
    'a 410 from before the registration fails the delivery and leaves the device',
    { kind: 'token-dead', reason: 'Unregistered', since: 900_000 },
    {},
    { kind: 'settle', status: 'failed', reason: 'Unregistered', device: 'untouched' },
  ],
  [
    "the message's fault fails the delivery and leaves the device",
    { kind: 'message-refused', reason: 'PayloadTooLarge' },
    {},
    { kind: 'settle', status: 'failed', reason: 'PayloadTooLarge', device: 'untouched' },
  ],
  [
    'an ambiguous answer fails the delivery, and the device is doubted',
    { kind: 'ambiguous', reason: 'DeviceTokenNotForTopic' },
    {},
    { kind: 'settle', status: 'failed', reason: 'DeviceTokenNotForTopic', device: 'doubted' },
  ],
  [
    "the credential's fault pauses and burns nothing",
    { kind: 'misconfigured', reason: 'InvalidProviderToken' },
    {},
    { kind: 'pause', afterMs: 1000, reason: 'InvalidProviderToken' },
  ],
  [
    "a push that found no stream in time comes back at once, and is nobody's failure",
    { kind: 'unsent', reason: 'queue-timeout' },
    {},
    { kind: 'retry', afterMs: 0, reason: 'queue-timeout' },
  ],
  [
    'a push that found no stream before its expiry is expired',
    { kind: 'unsent', reason: 'queue-timeout' },
    { expiresAt: 1_000_000 },
    { kind: 'settle', status: 'expired', reason: 'queue-timeout', device: 'untouched' },
  ],
  [
    'a throttled token waits as long as it is told, and a little',
    { kind: 'throttled', reason: 'TooManyRequests', scope: 'token', afterMs: 7000 },
    {},
    { kind: 'retry', afterMs: 7500, reason: 'TooManyRequests' },
  ],
  [
    'a throttled credential backs the lane off, 60 s where nothing is said',
    { kind: 'throttled', reason: 'QUOTA_EXCEEDED', scope: 'credential', afterMs: null },
    {},
    { kind: 'retry', afterMs: 60_500, reason: 'QUOTA_EXCEEDED' },
  ],
  [
    'a token throttled until the expiry leaves the device as it is',
    { kind: 'throttled', reason: 'TooManyRequests', scope: 'token', afterMs: 7000 },
    { expiresAt: 1_000_000 + 5000 },
    { kind: 'settle', status: 'expired', reason: 'TooManyRequests', device: 'untouched' },
  ],
  [
    'an unavailable provider is tried again with backoff',
    unavailable,
    { attempt: 3 },
    { kind: 'retry', afterMs: 20_000, reason: 'ServiceUnavailable' },
  ],
  [
    'Retry-After is honoured',
    { ...unavailable, afterMs: 120_000 },
    {},
    { kind: 'retry', afterMs: 121_000, reason: 'ServiceUnavailable' },
  ],
  [
    'a retry after the expiry is none',
    unavailable,
    { expiresAt: 1_000_000 + 4000 },
    { kind: 'settle', status: 'expired', reason: 'ServiceUnavailable', device: 'untouched' },
  ],
  [
    'an unknown outcome is repeated',
    unknown,
    {},
    { kind: 'retry', afterMs: 250, reason: 'connection_lost' },
  ],
  [
    'an unknown outcome is given up where the message says so',
    unknown,
    { onUnknown: 'give_up' },
    { kind: 'settle', status: 'failed', reason: 'unknown', device: 'untouched' },
  ],
  [
    'an unknown outcome is not repeated for ever',
    unknown,
    { attempt: unknownAttemptsMax },
    { kind: 'settle', status: 'failed', reason: 'unknown', device: 'untouched' },
  ],
]

test.each(rows)('%s', (_name, outcome, changes, verdict) => {
  expect(decide(outcome, { ...attempt, ...changes }, half)).toEqual(verdict)
})

test('only a token-dead outcome can ever retire a token', () => {
  const outcome = fc.oneof(
    fc.record({ kind: fc.constant('message-refused' as const), reason: fc.string() }),
    fc.record({ kind: fc.constant('misconfigured' as const), reason: fc.string() }),
    fc.record({ kind: fc.constant('ambiguous' as const), reason: fc.string() }),
    fc.record({
      kind: fc.constant('throttled' as const),
      reason: fc.string(),
      scope: fc.constantFrom('token' as const, 'credential' as const),
      afterMs: fc.option(fc.nat()),
    }),
    fc.record({
      kind: fc.constant('unavailable' as const),
      reason: fc.string(),
      afterMs: fc.option(fc.nat()),
      mayHaveArrived: fc.boolean(),
    }),
  )
  fc.assert(
    fc.property(
      outcome,
      fc.nat(1e12),
      fc.integer({ min: 1, max: 50 }),
      (given, expiresAt, tries) => {
        const verdict = decide(given, { ...attempt, expiresAt, attempt: tries }, Math.random)
        expect(verdict.kind === 'settle' && verdict.device === 'token-dead').toBe(false)
      },
    ),
  )
})

test('backoff has full jitter under a doubling, capped ceiling', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, x) => {
        const ms = backoffMs(providerBackoff, n, () => x)
        expect(ms).toBeGreaterThanOrEqual(0)
        expect(ms).toBeLessThanOrEqual(Math.min(providerBackoff.capMs, 10_000 * 2 ** (n - 1)))
      },
    ),
  )
})
