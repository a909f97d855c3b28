import type { Redis } from 'ioredis'
import type { Usage } from './processes.ts'
import type { Scene } from './scene.ts'
import { type Backlog, readBacklog, readTables, type TableSize } from './tables.ts'
import type { Watch } from './watch.ts'

/** All figures of one moment, or of the while before it. */
export interface Sample {
  minute: number
  processes: Record<string, Usage>
  /** null: the queues are in PostgreSQL. */
  redis: { keys: number; mb: number } | null
  tables: Record<string, TableSize>
  backlog: Backlog
  latency: ReturnType<Watch['take']>
  /** Messages accepted so far. */
  messages: number
}

export async function takeSample(
  scene: Scene,
  watch: Watch,
  usage: { take(): Promise<Record<string, Usage>> },
  minute: number,
): Promise<Sample> {
  const { database, redis } = scene
  const [processes, tables, backlog, keys] = await Promise.all([
    usage.take(),
    readTables(database),
    readBacklog(database),
    redis && readRedis(redis),
  ])
  return {
    minute: Math.round(minute * 100) / 100,
    processes,
    redis: keys,
    tables,
    backlog,
    latency: watch.take(),
    messages: watch.messages,
  }
}

async function readRedis(redis: Redis): Promise<{ keys: number; mb: number }> {
  const [keys, memory] = await Promise.all([redis.dbsize(), redis.info('memory')])
  const bytes = Number(/used_memory:(\d+)/.exec(memory)?.[1] ?? 0)
  return { keys, mb: Math.round(bytes / 104_857.6) / 10 }
}

/** A sample for people: one line. */
export function lineOf({ minute, processes, redis, tables, backlog, latency }: Sample): string {
  const memory = Object.entries(processes).map(
    ([name, { rssMb, handles }]) => `${name} ${Math.round(rssMb)} MB/${handles}`,
  )
  const { bare, transaction, register, accept, recorded, broadcastMs } = latency
  const dead = Object.values(tables).reduce((sum, table) => sum + table.dead, 0)
  const parts = [
    `${minute.toFixed(1).padStart(5)} min`,
    memory.join(', '),
    ...(redis ? [`${redis.keys} keys`] : []),
    `${dead} dead rows`,
    `backlog ${backlog.chunks}+${backlog.doorbells} (${backlog.lagSeconds} s)`,
    `bare ${bare.p50} ms`,
    `transaction ${transaction.p50} ms`,
    `register ${register.p50}/${register.p99} ms`,
    `accept ${accept.p50}/${accept.p99} ms`,
    `recorded ${recorded.p50}/${recorded.p99} ms`,
    ...(broadcastMs.length > 0 ? [`broadcast ${broadcastMs.join(', ')} ms`] : []),
  ]
  return parts.join(' | ')
}
