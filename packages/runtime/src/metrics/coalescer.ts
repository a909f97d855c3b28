import type { CoalescedRun } from '@pushkeep/store'
import { FastHistogram } from './fast-histogram.ts'
import type { Metrics } from './metrics.ts'

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

/** Tells of each run of a coalescer of this name. */
export type CoalescerObserver = (name: string) => (run: CoalescedRun) => void

/** Measures how calls share statements (`coalesce` of the store), by the coalescer's name. */
export function observeCoalescers(metrics: Metrics): CoalescerObserver {
  const labelNames = ['coalescer'] as const
  const wait = new FastHistogram(metrics, {
    name: 'pushkeep_coalescer_wait_seconds',
    help: 'Longest time that a call of a run had waited for its statement to begin',
    labelNames,
    buckets: seconds,
  })
  const duration = new FastHistogram(metrics, {
    name: 'pushkeep_coalescer_run_seconds',
    help: 'Duration of the statements of one run',
    labelNames,
    buckets: seconds,
  })
  const size = new FastHistogram(metrics, {
    name: 'pushkeep_coalescer_batch_size',
    help: 'Calls that shared one run',
    labelNames,
    buckets: sizes,
  })
  return (coalescer) => {
    const waits = wait.series({ coalescer })
    const durations = duration.series({ coalescer })
    const batches = size.series({ coalescer })
    return (run) => {
      waits.observe(run.waitedMs / 1000)
      durations.observe(run.ms / 1000)
      batches.observe(run.size)
    }
  }
}
