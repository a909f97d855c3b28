import { Counter, Gauge } from 'prom-client'
import type { Metrics } from '../metrics/metrics.ts'
import type { Limiter } from './limiter.ts'
import { type LimitName, limitNames, type Rates } from './policies.ts'

/** What the limits of a process do, as it is counted: never who was refused. */
export interface LimitEvents {
  refused(limit: LimitName): void
  settled(count: number): void
  unsettled(): void
  /** Counts the buckets of a limiter at each scrape. */
  watch(limiter: Limiter): void
}

/** Counts refusals by limit, and whether processes share their counts. */
export function createLimitEvents({ registry }: Metrics, rates: Rates): LimitEvents {
  const registers = [registry]
  const refused = new Counter({
    name: 'pushkeep_limited_total',
    help: 'Calls that were answered 429, by the limit that they reached',
    labelNames: ['limit'],
    registers,
  })
  for (const limit of limitNames) if (rates[limit]) refused.inc({ limit }, 0)
  const rounds = new Counter({
    name: 'pushkeep_limit_rounds_total',
    help: 'Rounds in which this process told others what it had spent of limits, by result',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['settled', 'failed']) rounds.inc({ result }, 0)
  const settled = new Counter({
    name: 'pushkeep_limit_settled_buckets_total',
    help: 'Buckets of limits that were settled with other processes',
    registers,
  })
  return {
    refused: (limit) => refused.inc({ limit }),
    settled(count) {
      rounds.inc({ result: 'settled' })
      settled.inc(count)
    },
    unsettled: () => rounds.inc({ result: 'failed' }),
    watch(limiter) {
      new Gauge({
        name: 'pushkeep_limit_buckets',
        help: 'Buckets of limits that are kept in memory',
        labelNames: ['limit'],
        registers,
        collect() {
          for (const [limit, buckets] of limiter.all) this.set({ limit }, buckets.size())
        },
      })
    },
  }
}
