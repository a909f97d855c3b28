import { type Rescued, rescue } from '@pushkeep/store'
import pg from 'pg'

export interface ReconcilerOptions {
  databaseUrl: string
  /** How often it looks, in milliseconds: a killed worker's chunks wait for that and their lease. */
  intervalMs: number
  /** Most chunks and messages it rings a round. */
  batchSize: number
  now: () => number
  onRescued: (rescued: Rescued) => void
  onError: (error: unknown) => void
}

// Any constant of our own: of all workers' reconcilers one holds it.
const leaderLock = 7_482_114

/**
 * A new leader watches for that long before it rescues: where the database was away, the holders of
 * chunks get the time to write what they know and to renew, instead of being sent twice.
 */
const graceMs = 2500

/**
 * Finds work that a queue forgot or a worker left and rings again: it, and not the queue, is why
 * nothing accepted is lost. One of all workers leads, by a lock that ends with its connection.
 */
export function startReconciler(options: ReconcilerOptions) {
  let client: pg.Client | null = null
  let isStopped = false
  let isBusy = false
  let leadsSince = 0
  let idle: Promise<void> = Promise.resolve()

  async function lead(): Promise<pg.Client | null> {
    if (client) return client
    const fresh = new pg.Client({
      connectionString: options.databaseUrl,
      application_name: 'pushkeep reconciler',
      statement_timeout: 30_000,
      keepAlive: true,
    })
    fresh.on('error', (error) => {
      if (client === fresh) client = null
      options.onError(error)
    })
    try {
      await fresh.connect()
      const { rows } = await fresh.query<{ leads: boolean }>(
        'select pg_try_advisory_lock($1) as leads',
        [leaderLock],
      )
      if (rows[0]?.leads) {
        client = fresh
        leadsSince = options.now()
        return fresh
      }
    } catch (error) {
      options.onError(error)
    }
    await fresh.end().catch(() => {})
    return null
  }

  async function round() {
    const leader = await lead()
    if (!leader) return
    if (options.now() - leadsSince < graceMs) return
    const rescued = await rescue(leader, options.batchSize)
    if (rescued.expiredLeases + rescued.unheard + rescued.unplanned > 0) options.onRescued(rescued)
  }

  async function tick() {
    isBusy = true
    try {
      await round()
    } catch (error) {
      options.onError(error)
      await client?.end().catch(() => {})
      client = null
    } finally {
      isBusy = false
    }
  }

  const start = () => {
    if (!isBusy && !isStopped) idle = tick()
  }
  const timer = setInterval(start, options.intervalMs)
  start()
  return {
    /** Whether this process leads: what only one of all is to do may go with it. */
    isLeading: () => client !== null,
    async stop() {
      isStopped = true
      clearInterval(timer)
      await idle
      await client?.end().catch(() => {})
    },
  }
}
