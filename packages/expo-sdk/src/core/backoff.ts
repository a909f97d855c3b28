/** Waiting times between tries in ms, before they are spread. */
const firstMs = 1000
const capMs = 5 * 60_000

/** A key that is not known is not known a second later either. */
const unauthorizedFirstMs = 60_000

/**
 * How long to wait after the `failures`th try in a row that failed: twice as long each time, spread
 * over its upper half, so that phones that failed together do not come back together.
 */
export function backoffMs(failures: number, random: () => number, isUnauthorized = false): number {
  const first = isUnauthorized ? unauthorizedFirstMs : firstMs
  const ceiling = Math.min(capMs, first * 2 ** Math.min(failures - 1, 20))
  return Math.round(ceiling * (0.5 + random() / 2))
}

/** Longest time that a `Retry-After` is believed. */
const retryAfterMaxMs = 60 * 60_000

/** `Retry-After` in ms: seconds, or a date by the server's clock; null where it says nothing. */
export function retryAfterMs(header: string | null, serverNow: number): number | null {
  if (header === null) return null
  if (/^\s*\d+\s*$/.test(header)) return Math.min(Number(header) * 1000, retryAfterMaxMs)
  const ms = Date.parse(header) - serverNow
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), retryAfterMaxMs) : null
}
