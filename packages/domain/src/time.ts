import { z } from 'zod'

/** The last second of the year 9999: a larger number is milliseconds taken for seconds. */
export const unixSecondsMax = 253_402_300_799

/**
 * Unix seconds as clients write them: an integer, or its decimal digits in a string (one of
 * Customer.io's own clients sends `last_used` so).
 */
export const UnixSeconds = z.union([
  z.int('must be unix seconds').min(0).max(unixSecondsMax, 'must be seconds, not milliseconds'),
  z
    .string()
    .regex(/^\d{1,12}$/, 'must be unix seconds')
    .transform(Number)
    .pipe(z.int().max(unixSecondsMax)),
])

/**
 * The client's own time of an action, by which late arrivals are ordered (R1): unix seconds (a
 * fraction is kept to the millisecond) or an ISO 8601 date-time with an offset. Yields ms since the epoch.
 */
export const ClientTime = z.union([
  z
    .number('must be unix seconds or an ISO 8601 date-time')
    .min(0)
    .max(unixSecondsMax, 'must be seconds, not milliseconds')
    .transform((seconds) => Math.round(seconds * 1000)),
  z.iso
    .datetime({ offset: true, error: 'must be unix seconds or an ISO 8601 date-time' })
    .transform((text) => Date.parse(text)),
])
