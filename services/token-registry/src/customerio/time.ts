import { unixSecondsMax } from '@pushkeep/domain'
import { z } from 'zod'
import { isNothing } from './people.ts'
import { validated } from './refusal.ts'

/** Unix seconds, as a number or its digits; yields ms. */
const TrackTime = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^\d{1,12}(\.\d+)?$/)
        .transform(Number),
    ],
    'must be unix seconds',
  )
  .pipe(z.number().min(0).max(unixSecondsMax, 'must be seconds, not milliseconds'))
  .transform((seconds) => Math.round(seconds * 1000))

/** When something happened; null where the client does not say. */
export const timeIfAny = (value: unknown, place: string): number | null =>
  isNothing(value) ? null : validated(TrackTime, value, place)
