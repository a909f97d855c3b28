import { type Backoff, backoffCeilingMs } from '@pushkeep/domain'

/** What a breaker says to a window that is to be sent. */
export type Admission = { kind: 'go' } | { kind: 'wait'; ms: number }

/** `firstMs` and `capMs` bound the pause after each opening. */
export interface BreakerOptions extends Backoff {
  now: () => number
  random: () => number
}

/** How a breaker stands that is not closed: when it lets probes through, and how often it opened in a row. */
export interface Standing {
  /** ms since the epoch, on the worker's clock. */
  openUntil: number
  refusals: number
}

/** Windows that probe at a time. */
const probesMax = 3

/** So many different tokens have to be refused before a probe counts as failed: one alone may be at fault. */
const refusedTokensMax = 3

/** A provider may ask for no longer a pause than this at a time, in ms. */
const askedMsMax = 15 * 60_000

/**
 * Stops sending for a time that doubles with each opening, with jitter, or for as long as the
 * provider asks. Then a few windows probe: one answer closes the breaker, refusals of several tokens
 * open it again.
 */
export function createBreaker(options: BreakerOptions) {
  let openUntil = 0
  let refusals = 0
  let probes = 0
  const refusedPauses = new Map<number, number>()

  const isProbing = () => refusals > 0 && openUntil <= options.now()

  function open(askedMs: number): void {
    refusals += 1
    probes = 0
    refusedPauses.clear()
    const ceiling = backoffCeilingMs(options, refusals)
    const pause = ceiling * (0.5 + options.random() / 2)
    openUntil = options.now() + Math.max(Math.min(askedMs, askedMsMax), pause)
  }

  function close(): void {
    openUntil = 0
    refusals = 0
    probes = 0
    refusedPauses.clear()
  }

  return {
    /** Asks before a window is sent; `leave` follows each `go`. */
    enter(): Admission {
      if (refusals === 0) return { kind: 'go' }
      const remaining = openUntil - options.now()
      if (remaining > 0) return { kind: 'wait', ms: remaining }
      if (probes >= probesMax) return { kind: 'wait', ms: options.firstMs }
      probes += 1
      return { kind: 'go' }
    },
    /** A window that was let through has ended. */
    leave(): void {
      if (probes > 0) probes -= 1
    },
    /** Opens it; `askedMs` is how long the provider asks to be left alone. */
    open,
    close,
    /** A probe was answered. Answers to what was sent before the opening say nothing. */
    served(): void {
      if (isProbing()) close()
    },
    /** A probe's token was refused. */
    refused(deviceNo: number, askedMs: number): void {
      if (!isProbing()) return
      refusedPauses.set(deviceNo, askedMs)
      if (refusedPauses.size >= refusedTokensMax) open(lowerMedian([...refusedPauses.values()]))
    },
    standing: (): Standing | null => (refusals === 0 ? null : { openUntil, refusals }),
  }
}

export type Breaker = ReturnType<typeof createBreaker>

/** The middle value, the lower one of two: a single answer that asks for hours decides nothing. */
export function lowerMedian(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[(sorted.length - 1) >> 1] ?? 0
}
