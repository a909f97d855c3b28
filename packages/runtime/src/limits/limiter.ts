import { isOpen, secondsUntilOpen } from '@pushkeep/domain'
import { type Buckets, createBuckets } from './buckets.ts'
import { type LimitName, limitNames, type Rates, usualBucketsMax } from './policies.ts'

/** What a call spends of one bucket. */
export interface Charge {
  limit: LimitName
  /** Whose bucket, within the limit. Kept in memory alone; it leaves the process as a hash. */
  name: string
  cost: number
}

/** A bucket that lets nothing pass now. */
export interface Refusal {
  limit: LimitName
  afterSeconds: number
}

/** What is left of the bucket that is nearest to its end. */
export interface Standing {
  limit: LimitName
  level: number
}

/** Rates of a process's callers. Never waits for anything. */
export interface Limiter {
  rates: Rates
  /** Spends from all buckets, or from none where one is empty: that is the refusal. */
  spend(charges: readonly Charge[]): Refusal | null
  /** Why a bucket lets nothing pass now, without spending; null: it does. */
  refusalOf(limit: LimitName, name: string): Refusal | null
  /** Spends even where the bucket is empty: for what has happened already. */
  note(limit: LimitName, name: string, cost: number): void
  /** How a bucket stands; null: there is no such limit. */
  levelOf(limit: LimitName, name: string): number | null
  /** The buckets of each limit that is on. */
  all: ReadonlyMap<LimitName, Buckets>
}

export interface LimiterOptions {
  rates: Rates
  /** Most buckets of one limit that are kept in memory, some 200 bytes each. */
  bucketsMax?: number
  /** Monotonic time in milliseconds. */
  now?: () => number
  /** Told of each call that was refused. */
  onRefused?: (limit: LimitName) => void
}

/** Counts calls by token buckets, in memory. */
export function createLimiter(options: LimiterOptions): Limiter {
  const {
    rates,
    bucketsMax = usualBucketsMax,
    now = () => performance.now(),
    onRefused = () => {},
  } = options
  const all = new Map<LimitName, Buckets>()
  for (const limit of limitNames) {
    const rate = rates[limit]
    if (rate) all.set(limit, createBuckets(rate, bucketsMax, now))
  }

  function refusalOf(limit: LimitName, name: string): Refusal | null {
    const rate = rates[limit]
    const level = all.get(limit)?.level(name)
    if (!rate || level === undefined || isOpen(level)) return null
    return { limit, afterSeconds: secondsUntilOpen(level, rate) }
  }

  return {
    rates,
    all,
    refusalOf,
    spend(charges) {
      for (const { limit, name } of charges) {
        const refusal = refusalOf(limit, name)
        if (refusal) {
          onRefused(limit)
          return refusal
        }
      }
      for (const { limit, name, cost } of charges) all.get(limit)?.spend(name, cost)
      return null
    },
    note: (limit, name, cost) => all.get(limit)?.spend(name, cost),
    levelOf: (limit, name) => all.get(limit)?.level(name) ?? null,
  }
}
