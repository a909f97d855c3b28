/** What a bucket allows: so many tokens come back a second, and so many may be spent at once. */
export interface Rate {
  perSecond: number
  burst: number
}

/** A bucket as it stood at a time (monotonic ms). A level below zero is a debt, which is paid first. */
export interface Bucket {
  level: number
  at: number
}

/** A full bucket. */
export function fullBucket(rate: Rate, now: number): Bucket {
  return { level: rate.burst, at: now }
}

/** Its level now: what was left, and what has come back since, never more than the burst. */
export function levelOf(bucket: Bucket, rate: Rate, now: number): number {
  const back = (Math.max(0, now - bucket.at) / 1000) * rate.perSecond
  return Math.min(rate.burst, bucket.level + back)
}

/**
 * Whether a bucket lets a call pass. A call passes while one token is left, and pays all that it costs:
 * a batch of more items than the bucket holds passes once, and those after it wait longer.
 */
export function isOpen(level: number): boolean {
  return level >= 1
}

/** How many whole seconds until a bucket of this level lets a call pass; at least 1. */
export function secondsUntilOpen(level: number, rate: Rate): number {
  return Math.max(1, Math.ceil((1 - level) / rate.perSecond))
}

/** How many whole seconds an empty bucket takes to be full: the window of its policy. */
export function windowSeconds({ perSecond, burst }: Rate): number {
  return Math.max(1, Math.ceil(burst / perSecond))
}

const secondsOf = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const rateForm = /^(\d{1,9}(?:\.\d{1,3})?)\/([smhd])(?: burst (\d{1,9}))?$/

/**
 * Reads a rate as settings have it: `100/s burst 1000`, `10/m`, `5000/d`. Without a burst all of the
 * count may be spent at once. `0` is no limit: null. `undefined`: it is not a rate.
 */
export function parseRate(text: string): Rate | null | undefined {
  if (text === '0') return null
  const [, count, unit, burst] = rateForm.exec(text) ?? []
  if (count === undefined || !isUnit(unit)) return undefined
  const rate = { perSecond: Number(count) / secondsOf[unit], burst: Number(burst ?? count) }
  return rate.perSecond > 0 && rate.burst >= 1 ? rate : undefined
}

function isUnit(unit: string | undefined): unit is keyof typeof secondsOf {
  return unit !== undefined && Object.hasOwn(secondsOf, unit)
}
