import type { Database } from '@pushkeep/store'
import { Gauge } from 'prom-client'
import type { Metrics } from './metrics.ts'

/** Counts the connections of a pool, and who waits for one. */
export function observeDatabase({ registry }: Metrics, database: Database): void {
  new Gauge({
    name: 'pushkeep_database_connections',
    help: "Connections of the process's pool to PostgreSQL, by what they do",
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'idle' }, database.idleCount)
      this.set({ state: 'busy' }, database.totalCount - database.idleCount)
    },
  })
  new Gauge({
    name: 'pushkeep_database_connections_max',
    help: 'Most connections that the pool may open (DATABASE_CONNECTIONS)',
    registers: [registry],
    collect() {
      this.set(database.options.max)
    },
  })
  new Gauge({
    name: 'pushkeep_database_waiting',
    help: 'Statements that wait for a connection of the pool',
    registers: [registry],
    collect() {
      this.set(database.waitingCount)
    },
  })
}
