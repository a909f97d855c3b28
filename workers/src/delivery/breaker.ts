import { type Backoff, backoffCeilingMs } from '@pushkeep/domain'

/** What a breaker says to somebody who wants to send. */
export type Admission = { kind: 'go' } | { kind: 'wait'; ms: number }

/** Its times are those of the pause after a failed window. */
export interface BreakerOptions extends Backoff {
  now: () => number
  random: () => number
}

/** Stops sending to one app's provider while it does not serve, and lets one probe through in time. */
export interface Breaker {
  /** Asks before a window is sent. After a `go`, one of the reports below must follow. */
  enter(): Admission
  /** The provider served. */
  served(): void
  /** The provider did not serve; it asked for `askedMs` of patience, if it did. */
  refused(askedMs: number): void
  /** A window with nothing to tell: no call was made. */
  nothing(): void
  /** How it stands, where it does not let everything through. `openUntil` on the clock that it has. */
  standing(): { openUntil: number; refusals: number } | null
}

/**
 * Closed until a window is refused; then open for a time that doubles with each refused probe, with
 * jitter, or as long as the provider asked for. One window at a time probes an open breaker.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  let openUntil = 0
  let refusals = 0
  let probing = false
  return {
    enter() {
      if (refusals === 0) return { kind: 'go' }
      const remaining = openUntil - options.now()
      if (remaining > 0) return { kind: 'wait', ms: remaining }
      if (probing) return { kind: 'wait', ms: options.firstMs }
      probing = true
      return { kind: 'go' }
    },
    served() {
      refusals = 0
      probing = false
    },
    refused(askedMs) {
      probing = false
      // Windows that were in flight together are one refusal.
      if (openUntil > options.now()) return
      refusals += 1
      const ceiling = backoffCeilingMs(options, refusals)
      const pause = Math.max(askedMs, ceiling * (0.5 + options.random() / 2))
      openUntil = options.now() + pause
    },
    nothing() {
      probing = false
    },
    standing: () => (refusals === 0 ? null : { openUntil, refusals }),
  }
}
