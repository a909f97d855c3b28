import type { Provider } from '@pushkeep/domain'
import type { AccessTokenState, PoolStats } from '@pushkeep/providers'
import type { LaneBreaker } from './lane-breaker.ts'

/** What the pools of one name came to, of all apps together. */
export interface PoolTotals {
  provider: Provider
  pool: string
  stats: PoolStats
}

/** How one app's lane stands in this process. */
export interface SenderState {
  appNo: number
  provider: Provider
  /** Its breaker is open. */
  isHeldBack: boolean
  /** Messages that are held back alone. */
  messagesHeldBack: number
  /** null: the provider has none. */
  accessToken: AccessTokenState | null
}

/** An app's provider, as far as it is counted. */
interface Counted {
  appNo: number
  provider: Provider
  breaker: LaneBreaker
  pools: () => Record<string, PoolStats>
  accessToken: () => AccessTokenState | null
  close: () => Promise<void>
}

// Counts begin with 0, so that the first event shows as a rise.
const everyPool = [
  { provider: 'apns', pool: 'production' },
  { provider: 'apns', pool: 'sandbox' },
  { provider: 'fcm', pool: 'fcm' },
] as const

const nothing: PoolStats = {
  sessions: 0,
  streams: 0,
  queued: 0,
  limit: 0,
  connects: 0,
  connectFailures: 0,
  goaways: 0,
  replaced: 0,
  resent: 0,
  timeouts: 0,
}

/** Adds up the pools of all providers, also of those that are closed: counts never run backwards. */
export function createPoolStatistics() {
  // One that is closing still counts; when it is closed its counts move to `past` in one step.
  const counted = new Set<Counted>()
  const live = new Set<Counted>()
  const past = new Map<string, PoolTotals>()
  for (const { provider, pool } of everyPool) {
    past.set(`${provider} ${pool}`, { provider, pool, stats: nothing })
  }

  return {
    add(entry: Counted) {
      counted.add(entry)
      live.add(entry)
    },
    async close(entry: Counted): Promise<void> {
      live.delete(entry)
      await entry.close()
      addPools(past, entry)
      counted.delete(entry)
    },
    totals(): PoolTotals[] {
      const sums = new Map(past)
      for (const entry of counted) addPools(sums, entry)
      return [...sums.values()]
    },
    states(): SenderState[] {
      return [...live].map(({ appNo, provider, breaker, accessToken }) => {
        const held = breaker.heldBack()
        const messagesHeldBack = held.filter(({ messageId }) => messageId !== null).length
        const isHeldBack = held.length > messagesHeldBack
        return { appNo, provider, isHeldBack, messagesHeldBack, accessToken: accessToken() }
      })
    },
  }
}

function addPools(sums: Map<string, PoolTotals>, { provider, pools }: Counted): void {
  for (const [pool, stats] of Object.entries(pools())) {
    const key = `${provider} ${pool}`
    const sum = sums.get(key)
    sums.set(key, { provider, pool, stats: sum ? added(sum.stats, stats) : stats })
  }
}

function added(one: PoolStats, other: PoolStats): PoolStats {
  return {
    sessions: one.sessions + other.sessions,
    streams: one.streams + other.streams,
    queued: one.queued + other.queued,
    limit: one.limit + other.limit,
    connects: one.connects + other.connects,
    connectFailures: one.connectFailures + other.connectFailures,
    goaways: one.goaways + other.goaways,
    replaced: one.replaced + other.replaced,
    resent: one.resent + other.resent,
    timeouts: one.timeouts + other.timeouts,
  }
}
