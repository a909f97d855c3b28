import { Redis } from 'ioredis'

/** How a Redis stands that holds queues. */
export interface RedisState {
  version: string
  majorVersion: number
  isReplica: boolean
  /** `noeviction`, or else Redis throws away jobs when it is full. */
  evictionPolicy: string
  isAppendOnly: boolean
  /** Share of its memory limit that is in use; null: it has none. */
  memoryShare: number | null
}

/** Asks a Redis about itself, by one `INFO`: managed ones forbid `CONFIG`. Rejects within seconds. */
export async function redisState(url: string, timeoutMs = 3000): Promise<RedisState> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  let lost: Error | null = null
  redis.on('error', (error) => {
    lost = error
  })
  try {
    await redis.connect()
    return readInfo(await redis.info())
  } catch (error) {
    // Of a connection that fails, the call itself says no more than that it is closed.
    throw lost ?? error
  } finally {
    redis.disconnect()
  }
}

/** Reads the answer to `INFO`: `name:value`, a line each. */
export function readInfo(text: string): RedisState {
  const values = new Map(
    text.split(/\r?\n/).map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)]
    }),
  )
  const version = values.get('redis_version') ?? ''
  const [used, limit] = ['used_memory', 'maxmemory'].map((name) => Number(values.get(name) ?? 0))
  return {
    version,
    majorVersion: Number(version.split('.')[0]),
    isReplica: values.get('role') === 'slave',
    evictionPolicy: values.get('maxmemory_policy') ?? '',
    isAppendOnly: values.get('aof_enabled') === '1',
    memoryShare: limit ? (used ?? 0) / limit : null,
  }
}
