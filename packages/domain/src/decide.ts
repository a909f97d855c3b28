import { backoffMs, connectionBackoff, providerBackoff } from './backoff.ts'
import type { SettledStatus } from './delivery.ts'
import type { Outcome } from './outcome.ts'

/** What to do with an unknown outcome (R5): repeat it, or leave it unsent rather than ring twice. */
export type OnUnknown = 'retry' | 'give_up'

/** What is known about a delivery when its outcome is judged. Times in ms since the epoch. */
export interface Attempt {
  /** Provider calls so far, this one included. */
  attempt: number
  now: number
  expiresAt: number
  /** When the token that was sent to had been registered: an older death notice is no proof (R2). */
  registeredAt: number
  onUnknown: OnUnknown
}

/** How often an unknown outcome is repeated before it counts as failed. */
export const unknownAttemptsMax = 5

/** Waiting time where a provider throttles without naming one: FCM documents 60 s. */
const throttledMs = 60_000

/** How soon a delivery held up by a fault of configuration looks whether its app was resumed. */
const misconfiguredMs = 1000

/**
 * What happens next. `settle` ends the delivery; `device` tells what it says about the device
 * (see `deviceEffect`). `retry` comes back, `pause` does so too and stops the app's provider lane.
 */
export type Verdict =
  | {
      kind: 'settle'
      status: SettledStatus
      reason: string | null
      device: 'accepted' | 'token-dead' | 'doubted' | 'untouched'
    }
  | { kind: 'retry'; afterMs: number; reason: string }
  | { kind: 'pause'; afterMs: number; reason: string }

/** The rule from outcome to verdict. Pure: time and chance are arguments. */
export function decide(outcome: Outcome, attempt: Attempt, random: () => number): Verdict {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'settle', status: 'sent', reason: null, device: 'accepted' }
    case 'token-dead':
      return tokenDead(outcome.reason, outcome.since, attempt.registeredAt)
    case 'message-refused':
      return { kind: 'settle', status: 'failed', reason: outcome.reason, device: 'untouched' }
    case 'ambiguous':
      return { kind: 'settle', status: 'failed', reason: outcome.reason, device: 'doubted' }
    case 'misconfigured':
      return { kind: 'pause', afterMs: misconfiguredMs, reason: outcome.reason }
    case 'throttled': {
      const afterMs = (outcome.afterMs ?? throttledMs) + Math.ceil(random() * 1000)
      return retryOr(attempt, afterMs, outcome.reason)
    }
    case 'unavailable':
      return outcome.mayHaveArrived
        ? unknown(outcome.reason, attempt, random)
        : unavailable(outcome, attempt, random)
    case 'unsent':
      return retryOr(attempt, 0, outcome.reason)
  }
}

/** R2: a death notice from before the device's last registration is about the one before it. */
function tokenDead(reason: string, since: number | null, registeredAt: number): Verdict {
  const isProven = since === null || since > registeredAt
  return isProven
    ? { kind: 'settle', status: 'bounced', reason, device: 'token-dead' }
    : { kind: 'settle', status: 'failed', reason, device: 'untouched' }
}

function unknown(reason: string, attempt: Attempt, random: () => number): Verdict {
  if (attempt.onUnknown === 'give_up' || attempt.attempt >= unknownAttemptsMax) {
    return { kind: 'settle', status: 'failed', reason: 'unknown', device: 'untouched' }
  }
  const afterMs = backoffMs(connectionBackoff, attempt.attempt, random)
  return retryOr(attempt, afterMs, reason)
}

function unavailable(
  outcome: Extract<Outcome, { kind: 'unavailable' }>,
  attempt: Attempt,
  random: () => number,
): Verdict {
  const spread = backoffMs(providerBackoff, attempt.attempt, random)
  const afterMs = outcome.afterMs === null ? spread : outcome.afterMs + Math.min(spread, 1000)
  return retryOr(attempt, afterMs, outcome.reason)
}

/** A retry that would come after the message's expiry is no retry: the delivery ends now. */
function retryOr(attempt: Attempt, afterMs: number, reason: string): Verdict {
  if (attempt.now + afterMs >= attempt.expiresAt) {
    return { kind: 'settle', status: 'expired', reason, device: 'untouched' }
  }
  return { kind: 'retry', afterMs, reason }
}
