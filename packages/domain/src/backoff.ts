/** Bounds of the waiting time between two tries, in milliseconds. */
export interface Backoff {
  firstMs: number
  capMs: number
}

/** APNs asks for patience after 5xx, FCM for at least 10 s before the first retry. */
export const providerBackoff: Backoff = { firstMs: 10_000, capMs: 15 * 60_000 }

/** An unknown outcome is a fault of one connection: the next one usually works. */
export const connectionBackoff: Backoff = { firstMs: 500, capMs: 60_000 }

/** The longest wait after a try, in ms: twice that after the one before. `attempt` counts from 1. */
export function backoffCeilingMs({ firstMs, capMs }: Backoff, attempt: number): number {
  return Math.min(capMs, firstMs * 2 ** Math.min(attempt - 1, 30))
}

/**
 * Capped exponential backoff with full jitter: anywhere between nothing and the ceiling, so that
 * the chunks of a broadcast that failed together do not come back together. `attempt` counts from 1.
 */
export function backoffMs(backoff: Backoff, attempt: number, random: () => number): number {
  return Math.ceil(backoffCeilingMs(backoff, attempt) * random())
}
