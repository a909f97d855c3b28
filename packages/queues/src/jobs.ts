import { z } from 'zod'

/** Most pointers of one job. */
const refsMax = 64

const Ref = z.string().regex(/^\d{1,19}$/)

/**
 * What a job carries: the number of a message to plan, or of chunks to deliver. No content, token
 * or person ever enters the queue; the worker reads all of that from PostgreSQL.
 */
export const PointerJob = z.object({
  ref: Ref,
  /** Further ones that came at the same moment; left out where it came alone. */
  more: z
    .array(Ref)
    .max(refsMax - 1)
    .optional(),
})
export type PointerJob = z.infer<typeof PointerJob>

/** One ring: what it is about, and which time it is. */
export interface Ring {
  ref: string
  ring: number
  /** The trace that the work is to belong to (W3C `traceparent`). */
  traceparent?: string | undefined
}

/** A job that is to be added. The same rings at the same moment make the same id. */
export interface NewJob {
  id: string
  data: PointerJob
  traceparent: string | undefined
}

/** So many jobs take what comes at one moment to two workers; what else comes shares them. */
const jobsAtOnce = 2

/** Up to so many are one job: a second one costs more than it hastens. */
const oneJobMax = 24

/**
 * The jobs for rings. A queue's server works longer for a job than a worker for a message to one
 * person, so that many rings of one moment share a few jobs where `mayShare`. Traced ones do not: a job
 * belongs to one trace.
 */
export function jobsOf(rings: readonly Ring[], mayShare: boolean): NewJob[] {
  const shares = ({ traceparent }: Ring) => mayShare && traceparent === undefined
  const sharing = rings.filter(shares)
  const jobs = sharing.length <= oneJobMax ? 1 : jobsAtOnce
  const size = Math.min(refsMax, Math.ceil(sharing.length / jobs))
  const alone = rings.filter((ring) => !shares(ring)).map((ring) => [ring])
  return [...alone, ...cut(sharing, size)].flatMap((group) => jobOf(group) ?? [])
}

function cut(rings: readonly Ring[], size: number): Ring[][] {
  const count = size === 0 ? 0 : Math.ceil(rings.length / size)
  return Array.from({ length: count }, (_, n) => rings.slice(n * size, (n + 1) * size))
}

function jobOf([first, ...others]: readonly Ring[]): NewJob | null {
  if (!first) return null
  const { ref, ring, traceparent } = first
  const last = others.at(-1)
  if (!last) return { id: jobId(ref, ring), data: { ref }, traceparent }
  const id = `${jobId(ref, ring)}-${others.length}-${last.ref}`
  return { id, data: { ref, more: others.map((other) => other.ref) }, traceparent }
}

/** The id under which a queue knows a ring: the same ring twice is one job. No `:`, not a number. */
export function jobId(ref: string, ring: number): string {
  return `${ref}-r${ring}`
}

/** Does the work of a job, all of its pointers at a time; fails as the first that failed, once all ended. */
export async function workThrough(
  data: unknown,
  work: (ref: string) => Promise<void>,
): Promise<void> {
  const { ref, more = [] } = PointerJob.parse(data)
  const results = await Promise.allSettled([ref, ...more].map(work))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
