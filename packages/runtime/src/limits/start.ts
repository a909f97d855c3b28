import { type Database, settleBuckets } from '@pushkeep/store'
import type { Logger } from 'pino'
import type { Metrics } from '../metrics/metrics.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { createLimitEvents } from './metrics.ts'
import type { Rates } from './policies.ts'
import { type SettleTogether, shareLimits } from './shares.ts'

export interface LimitsOptions {
  rates: Rates
  /** Most buckets of one limit in memory. */
  bucketsMax: number
  /** Where processes share their counts, unless there is a Redis. */
  database: Database
  redisUrl: string | undefined
  metrics: Metrics
  logger: Logger
}

/** The limits of a process while it runs. */
export interface RunningLimits {
  limiter: Limiter
  stop(): Promise<void>
}

/** Between two lines about counts that cannot be shared, in ms. */
const quietMs = 60_000

/** Counts, measures, and shares the counts with other processes. */
export async function startLimits(options: LimitsOptions): Promise<RunningLimits> {
  const { rates, bucketsMax, metrics, logger } = options
  const shared = await openShared(options)
  const events = createLimitEvents(metrics, rates)
  const limiter = createLimiter({ rates, bucketsMax, onRefused: events.refused })
  events.watch(limiter)
  let quietUntil = 0
  const sharing = shareLimits({
    limiter,
    settle: shared.settle,
    onSettled: events.settled,
    onError(err) {
      events.unsettled()
      if (performance.now() < quietUntil) return
      quietUntil = performance.now() + quietMs
      logger.warn({ err, event: 'limits.alone' }, 'limits are counted by this process alone')
    },
  })
  return {
    limiter,
    async stop() {
      await sharing.stop()
      shared.close()
    },
  }
}

interface SharedCounts {
  settle: SettleTogether
  close: () => void
}

/** The client of Redis is loaded where there is one. */
async function openShared({ database, redisUrl, logger }: LimitsOptions): Promise<SharedCounts> {
  if (redisUrl === undefined) {
    return { settle: (spending) => settleBuckets(database, spending), close() {} }
  }
  const { openRedisBuckets } = await import('@pushkeep/queues/rate-buckets')
  return openRedisBuckets(redisUrl, (err) => logger.debug({ err }, 'the Redis of limits'))
}
