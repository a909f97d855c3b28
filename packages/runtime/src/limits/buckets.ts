import { type Bucket, fullBucket, levelOf, type Rate } from '@pushkeep/domain'

/** What a process spent of one bucket since it last told. */
export interface Spent {
  name: string
  rate: Rate
  spent: number
}

interface Kept extends Bucket {
  /** Spent and not yet told. */
  untold: number
}

/** The buckets of one limit, in this process. */
export interface Buckets {
  /** How many tokens a bucket has now. */
  level(name: string): number
  spend(name: string, cost: number): void
  /** How many buckets are kept. */
  size(): number
  /** Takes what was spent of buckets that are half empty, at most so many; the rest comes next time. */
  takeSpent(max: number): Spent[]
  /** What all processes together left of a bucket whose spending was taken. */
  settle(name: string, level: number): void
  /** Takes back what could not be told. */
  giveBack(spent: readonly Spent[]): void
}

/**
 * Counts by buckets, at most `bucketsMax` of them: in two generations, of which the older goes when the
 * younger is full. A bucket in use moves to the younger one, so that new names cannot push it out.
 */
export function createBuckets(rate: Rate, bucketsMax: number, now: () => number): Buckets {
  const generationMax = Math.max(1, bucketsMax >> 1)
  let young = new Map<string, Kept>()
  let old = new Map<string, Kept>()
  /** Those that others should know of. */
  const low = new Set<string>()

  function keep(name: string, bucket: Kept): Kept {
    if (young.size >= generationMax) {
      for (const gone of old.keys()) low.delete(gone)
      old = young
      young = new Map()
    }
    young.set(name, bucket)
    return bucket
  }

  function find(name: string): Kept | undefined {
    const found = young.get(name)
    if (found) return found
    const older = old.get(name)
    if (!older) return undefined
    old.delete(name)
    return keep(name, older)
  }

  /** What has come back since is told no more: the shared bucket had it back, too. */
  function untoldOf({ untold, level }: Kept, cost: number): number {
    return Math.min(untold + cost, rate.burst - level)
  }

  return {
    level(name) {
      const bucket = find(name)
      return bucket ? levelOf(bucket, rate, now()) : rate.burst
    },
    spend(name, cost) {
      const at = now()
      const bucket = find(name) ?? keep(name, { ...fullBucket(rate, at), untold: 0 })
      bucket.level = levelOf(bucket, rate, at) - cost
      bucket.at = at
      bucket.untold = untoldOf(bucket, cost)
      if (bucket.level < rate.burst / 2) low.add(name)
    },
    size: () => young.size + old.size,
    takeSpent(max) {
      const taken: Spent[] = []
      for (const name of low) {
        if (taken.length >= max) break
        low.delete(name)
        const bucket = young.get(name) ?? old.get(name)
        if (!bucket || bucket.untold === 0) continue
        taken.push({ name, rate, spent: bucket.untold })
        bucket.untold = 0
      }
      return taken
    },
    settle(name, level) {
      const bucket = young.get(name) ?? old.get(name)
      if (!bucket) return
      bucket.level = Math.min(rate.burst, level) - bucket.untold
      bucket.at = now()
    },
    giveBack(spent) {
      for (const { name, spent: cost } of spent) {
        const bucket = young.get(name) ?? old.get(name)
        if (!bucket) continue
        bucket.level = levelOf(bucket, rate, now())
        bucket.at = now()
        bucket.untold = untoldOf(bucket, cost)
        low.add(name)
      }
    },
  }
}
