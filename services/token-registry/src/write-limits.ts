import {
  addressOf,
  type Caller,
  type Charge,
  limiterOf,
  type ProblemError,
  spendItems,
  tooMany,
} from '@pushkeep/runtime'
import type { FastifyRequest } from 'fastify'
import type { IdentityGate } from './identity/gate.ts'

/** What one call, or one item of a batch, writes. */
export interface Write {
  personId: string | null
  token: string | null
  isEvent: boolean
}

/** What counts the writes of one request. */
export interface WriteLimits {
  /** Counts the items of a batch as calls. Throws the 429. */
  spendItems(count: number): void
  /** Spends for writes by person, device and day: from all their buckets, or from none. */
  spend(writes: readonly Write[]): ProblemError | null
}

/**
 * Limits of what a request writes. A secret key speaks for a backend, which writes about its people as
 * it likes: its events alone are counted. Without proof of identity a bucket is of one address, so that
 * no stranger can use up what a person may write.
 */
export function writeLimitsOf(
  request: FastifyRequest,
  caller: Caller,
  gate: IdentityGate | null,
): WriteLimits {
  const { workspaceNo, kind } = caller
  const limiter = limiterOf(request)
  const isPublic = kind === 'public'

  function spendAll(charges: readonly Charge[]): ProblemError | null {
    const refusal = limiter?.spend(charges) ?? null
    return limiter && refusal ? tooMany(limiter, refusal) : null
  }

  function chargesOf({ personId, token, isEvent }: Write): Charge[] {
    const charges: Charge[] = []
    const add = (limit: Charge['limit'], name: string) => charges.push({ limit, name, cost: 1 })
    if (isEvent) add('workspace_events', String(workspaceNo))
    if (!isPublic) return charges
    const isProven = personId !== null && gate?.proves(personId) === true
    const from = isProven ? '' : ` ${addressOf(request)}`
    if (personId !== null) {
      add(isEvent ? 'person_events' : 'person', `${workspaceNo} ${personId}${from}`)
    }
    if (token !== null) add('device', `${workspaceNo} ${token}${from}`)
    return charges
  }

  return {
    spendItems: (count) => spendItems(request, caller, count),
    spend: (writes) => spendAll(summed(writes.flatMap(chargesOf))),
  }
}

/** One charge a bucket: a batch pays for all that it writes there at once. */
function summed(charges: readonly Charge[]): Charge[] {
  const sums = new Map<string, Charge>()
  for (const charge of charges) {
    const key = `${charge.limit} ${charge.name}`
    const sum = sums.get(key)
    sums.set(key, sum ? { ...sum, cost: sum.cost + charge.cost } : charge)
  }
  return [...sums.values()]
}

/** For a call that stands alone: throws the 429. */
export function limitWrite(
  request: FastifyRequest,
  caller: Caller,
  gate: IdentityGate | null,
  write: Partial<Write>,
): void {
  const whole = { personId: null, token: null, isEvent: false, ...write }
  const problem = writeLimitsOf(request, caller, gate).spend([whole])
  if (problem) throw problem
}
