import { z } from 'zod'

/**
 * What a job carries: the number of a message to plan, or of a chunk to deliver. No content, token
 * or person ever enters the queue; the worker reads all of that from PostgreSQL.
 */
export const PointerJob = z.object({ ref: z.string().regex(/^\d{1,19}$/) })
export type PointerJob = z.infer<typeof PointerJob>

/** The id under which a queue knows a ring: the same ring twice is one job. No `:`, not a number. */
export function jobId(ref: string, ring: number): string {
  return `${ref}-r${ring}`
}
