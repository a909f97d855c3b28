import type { Rate } from '@pushkeep/domain'
import { Redis } from 'ioredis'

/** What a process spent of a bucket; `key`: a UUID without dashes. */
export interface BucketSpending {
  key: string
  rate: Rate
  spent: number
}

/** Buckets that all processes of one Redis share. */
export interface RedisBuckets {
  /** Adds what was spent; the level of each after it. Rejects within a second where Redis is away. */
  settle(spending: readonly BucketSpending[]): Promise<number[]>
  close(): void
}

// By Redis' own clock. A bucket is forgotten once it would be full.
const script = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local levels = {}
  for n = 1, #KEYS do
    local per_second = tonumber(ARGV[3 * n - 2])
    local burst = tonumber(ARGV[3 * n - 1])
    local spent = tonumber(ARGV[3 * n])
    local kept = redis.call('HMGET', KEYS[n], 'level', 'at')
    local level = burst
    if kept[1] then
      local seconds = math.max(0, now - tonumber(kept[2])) / 1000
      level = math.min(burst, tonumber(kept[1]) + seconds * per_second)
    end
    level = level - spent
    redis.call('HSET', KEYS[n], 'level', tostring(level), 'at', now)
    redis.call('PEXPIRE', KEYS[n], math.max(1000, math.ceil((burst - level) / per_second * 1000)))
    levels[n] = tostring(level)
  end
  return levels`

const timeoutMs = 1000

/** Opens the buckets of a Redis. A connection that breaks is reported and opened anew. */
export function openRedisBuckets(url: string, onError: (error: Error) => void): RedisBuckets {
  const redis = new Redis(url, {
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  })
  redis.on('error', onError)
  return {
    async settle(spending) {
      if (redis.status !== 'ready') throw new Error('Redis is away')
      const keys = spending.map(({ key }) => `{push}:limit:${key}`)
      const values = spending.flatMap(({ rate, spent }) => [rate.perSecond, rate.burst, spent])
      const levels = await redis.eval(script, keys.length, ...keys, ...values)
      if (!Array.isArray(levels)) throw new Error('Redis did not give a level for each bucket')
      return levels.map(Number)
    },
    close: () => redis.disconnect(),
  }
}
