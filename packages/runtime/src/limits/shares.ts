import { hash } from 'node:crypto'
import type { Rate } from '@pushkeep/domain'
import type { Spent } from './buckets.ts'
import type { Limiter } from './limiter.ts'

/** What processes together spent of a bucket. `key`: a hash of limit and name, as a UUID without dashes. */
export interface SharedSpending {
  key: string
  rate: Rate
  spent: number
}

/**
 * Adds what this process spent to the counts that all processes share; the level of each bucket after
 * it, in the same order. Rejects where these counts are away.
 */
export type SettleTogether = (spending: readonly SharedSpending[]) => Promise<number[]>

export interface SharingOptions {
  limiter: Limiter
  settle: SettleTogether
  /** Between two rounds, in milliseconds. */
  everyMs?: number
  /** The shared counts are away: this process goes on by its own. */
  onError: (error: unknown) => void
  /** How many buckets a round settled. */
  onSettled?: (count: number) => void
}

/** Most buckets of one limit in one round; more wait for the next. */
const bucketsPerRound = 500

export interface Sharing {
  /** One round at once, for tests. */
  settleNow(): Promise<void>
  stop(): Promise<void>
}

/**
 * Makes the buckets of several processes one, in the background: each second a process tells what it
 * spent of those that are half empty, and learns what the others left. A call never waits for it, and
 * without the shared counts each process goes on by its own.
 */
export function shareLimits(options: SharingOptions): Sharing {
  const { limiter, settle, everyMs = 1000, onError, onSettled = () => {} } = options
  let running: Promise<void> | null = null
  let isStopped = false

  async function round(): Promise<void> {
    for (const [limit, buckets] of limiter.all) {
      const spent = buckets.takeSpent(bucketsPerRound)
      if (spent.length === 0) continue
      try {
        const levels = await settle(spent.map((one) => shared(limit, one)))
        for (const [n, { name }] of spent.entries()) {
          const level = levels[n]
          if (level !== undefined) buckets.settle(name, level)
        }
        onSettled(spent.length)
      } catch (error) {
        buckets.giveBack(spent)
        onError(error)
        return
      }
    }
  }

  function settleNow(): Promise<void> {
    running ??= round().finally(() => {
      running = null
    })
    return running
  }

  const timer = setInterval(() => {
    if (!isStopped) void settleNow()
  }, everyMs)
  timer.unref()
  return {
    settleNow,
    async stop() {
      isStopped = true
      clearInterval(timer)
      await running
    },
  }
}

function shared(limit: string, { name, rate, spent }: Spent): SharedSpending {
  return { key: hash('sha256', `${limit} ${name}`, 'hex').slice(0, 32), rate, spent }
}
