import type { Metrics } from '@pushkeep/runtime'
import { Gauge } from 'prom-client'

/** What a process of workers has in its hands. */
export interface WorkInFlight {
  /** Chunks that it holds. */
  leases: () => number
  /** Outcomes that wait to be written. */
  unwritten: () => number
}

export function observeWork({ registry }: Metrics, work: WorkInFlight): void {
  const registers = [registry]
  new Gauge({
    name: 'pushkeep_leases_held',
    help: 'Chunks that this process is delivering',
    registers,
    collect() {
      this.set(work.leases())
    },
  })
  new Gauge({
    name: 'pushkeep_write_back_backlog',
    help: 'Outcomes that this process knows and has not written yet',
    registers,
    collect() {
      this.set(work.unwritten())
    },
  })
}
