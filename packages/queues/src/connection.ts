import {
  createPostgresBackend,
  type PostgresConnectionOptions,
  type PostgresQueueBackend,
  Queue,
  type Telemetry,
  Worker,
} from 'bullmq'
import { Redis } from 'ioredis'
import { jobsOf, type PointerJob, type Ring, workThrough } from './jobs.ts'
import { isForOne } from './names.ts'

/** Where the queues live: Redis for production, PostgreSQL where one server has to do. */
export type QueueBackend =
  | { kind: 'redis'; url: string }
  | {
      kind: 'postgres'
      url: string
      /** The schema is there (`prepareQueues`); left out: whoever opens a queue makes it. */
      isPrepared?: boolean
    }

/** `REDIS_URL` set: Redis. Not set: PostgreSQL, in a schema of its own. */
export function queueBackend(env: {
  redisUrl?: string | undefined
  databaseUrl: string
}): QueueBackend {
  return env.redisUrl === undefined
    ? { kind: 'postgres', url: env.databaseUrl }
    : { kind: 'redis', url: env.redisUrl }
}

// A hash tag, so that all keys of a queue live in one slot of a Redis Cluster.
const redisPrefix = '{push}'
/** The schema of queues in PostgreSQL. */
export const postgresSchema = 'pushkeep_queue'

// Bounded by count and age: the default keeps everything for ever.
const jobOptions = {
  removeOnComplete: true,
  removeOnFail: { count: 1000, age: 7 * 86_400 },
}

type RedisQueue = Queue<PointerJob, void, string>
type PostgresQueue = Queue<
  PointerJob,
  void,
  string,
  PointerJob,
  void,
  string,
  PostgresQueueBackend,
  PostgresConnectionOptions
>

/** How a queue stands. */
export interface QueueState {
  /** When its oldest waiting job was added, ms since the epoch; null: none waits. */
  oldestAt: number | null
  /** BullMQ's own metrics of the queue, in the text format of Prometheus. */
  metrics: string
}

/** A queue as its producer sees it. */
export interface PointerQueue {
  name: string
  /** Rejects within seconds where the queue's server is away; adding the same again is harmless. */
  addAll(rings: readonly Ring[]): Promise<void>
  /** How it stands. Rejects within seconds where the queue's server is away. */
  state(): Promise<QueueState>
  /** The BullMQ queue behind it, for the dashboard. */
  bull: RedisQueue | PostgresQueue
  close(): Promise<void>
}

export interface PointerWorker {
  /** Stops taking jobs and waits for those under way, at most `deadlineMs`; the rest come back. */
  close(deadlineMs: number): Promise<void>
}

export interface WorkerSettings {
  /** Jobs at a time. */
  concurrency: number
  /** A fault of the queue's server; the worker goes on by itself. */
  onError: (error: Error) => void
}

/** Opens queues and workers on one backend, and closes what they share. */
export interface Queues {
  queue(name: string): PointerQueue
  worker(
    name: string,
    work: (ref: string) => Promise<void>,
    settings: WorkerSettings,
  ): PointerWorker
  close(): Promise<void>
}

export interface QueuesOptions {
  backend: QueueBackend
  /** A fault of a connection: reported, never thrown. */
  onError: (error: Error) => void
  /** Makes spans of what workers do; see `queueTelemetry`. */
  telemetry?: Telemetry | null
}

// A killed worker's jobs come back after the lock and two sweeps; before that the lease of its chunks
// has run out and they were rung again. A stall is no fault of the job: it must not fail for it.
const workerOptions = {
  lockDuration: 30_000,
  stalledInterval: 5000,
  maxStalledCount: 1000,
  removeOnComplete: { count: 0 },
  removeOnFail: jobOptions.removeOnFail,
  // BullMQ counts by the minute what is done: for its own metrics and the dashboard's charts of a day.
  metrics: { maxDataPoints: 24 * 60 },
}

/** Queues on Redis or PostgreSQL: nothing outside this package knows which. */
export function openQueues(options: QueuesOptions): Queues {
  const { backend, onError, telemetry = null } = options
  return backend.kind === 'redis'
    ? redisQueues(backend.url, onError, telemetry)
    : postgresQueues(backend, onError, telemetry)
}

export type QueueTelemetry = Telemetry

/** BullMQ's spans by OpenTelemetry. Loaded when it is asked for. */
export async function queueTelemetry(): Promise<QueueTelemetry> {
  const { BullMQOtel } = await import('bullmq-otel')
  return new BullMQOtel({ tracerName: 'pushkeep-queues' })
}

function redisQueues(
  url: string,
  onError: (error: Error) => void,
  telemetry: Telemetry | null,
): Queues {
  const connections: Redis[] = []
  const open = (settings: { commandTimeout?: number }) => {
    const redis = new Redis(url, { maxRetriesPerRequest: null, ...settings })
    redis.on('error', onError)
    connections.push(redis)
    return redis
  }
  let producer: Redis | null = null
  let consumer: Redis | null = null
  return {
    queue(name) {
      const redis = producer ?? open({ commandTimeout: 5000 })
      producer = redis
      const bull: RedisQueue = new Queue(name, {
        connection: redis,
        prefix: redisPrefix,
        defaultJobOptions: jobOptions,
      })
      return pointerQueue(bull, onError, {
        connected: () => connected(redis),
        addedAloneMax: 0,
      })
    },
    worker(name, work, settings) {
      consumer ??= open({})
      const worker = new Worker(name, (job) => workThrough(job.data, work), {
        connection: consumer,
        prefix: redisPrefix,
        concurrency: settings.concurrency,
        ...workerOptions,
        ...tracedBy(telemetry),
      })
      worker.on('error', settings.onError)
      return { close: (deadlineMs) => closeWorker(worker, deadlineMs) }
    },
    async close() {
      for (const redis of connections) redis.disconnect()
    },
  }
}

// `add` would wait for ever while Redis is away, and what waits would gather in memory.
async function connected(redis: Redis, waitMs = 2000): Promise<void> {
  if (redis.status === 'ready') return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      redis.off('ready', ready)
      reject(new Error('Redis is not connected'))
    }, waitMs)
    function ready() {
      clearTimeout(timer)
      resolve()
    }
    redis.once('ready', ready)
  })
}

function postgresQueues(
  { url, isPrepared = false }: Extract<QueueBackend, { kind: 'postgres' }>,
  onError: (error: Error) => void,
  telemetry: Telemetry | null,
): Queues {
  const connection = (max: number) => ({
    connectionString: url,
    schema: postgresSchema,
    migrate: !isPrepared,
    max,
    options: sessionOptions,
  })
  return {
    queue(name) {
      const bull: PostgresQueue = new Queue(
        name,
        { connection: connection(producerConnections), defaultJobOptions: jobOptions },
        createPostgresBackend,
      )
      return pointerQueue(bull, onError, { connected: async () => {}, addedAloneMax })
    },
    worker(name, work, settings) {
      const worker = new Worker(
        name,
        (job) => workThrough(job.data, work),
        {
          connection: connection(4),
          concurrency: settings.concurrency,
          ...workerOptions,
          ...tracedBy(telemetry),
        },
        createPostgresBackend,
      )
      worker.on('error', settings.onError)
      return { close: (deadlineMs) => closeWorker(worker, deadlineMs) }
    },
    async close() {},
  }
}

// BullMQ's statement for many jobs makes two temporary tables, for 8 ms of PostgreSQL's time: below so many
// it is quicker to add them one by one (BullMQ 6.7).
const addedAloneMax = 12

const producerConnections = 2

// The queue may be lost at any moment: it need not wait for the disk. All that BullMQ asks goes by an index.
const sessionOptions = [
  '-c synchronous_commit=off',
  '-c enable_seqscan=off',
  '-c plan_cache_mode=force_generic_plan',
].join(' ')

function tracedBy(telemetry: Telemetry | null): { telemetry?: Telemetry } {
  return telemetry ? { telemetry } : {}
}

/** What a worker's span takes up as its parent. */
function tracedIn(traceparent: string | undefined): { telemetry?: { metadata: string } } {
  return traceparent === undefined
    ? {}
    : { telemetry: { metadata: JSON.stringify({ traceparent }) } }
}

function pointerQueue(
  bull: RedisQueue | PostgresQueue,
  onError: (error: Error) => void,
  { connected, addedAloneMax: aloneMax }: { connected: () => Promise<void>; addedAloneMax: number },
): PointerQueue {
  bull.on('error', onError)
  return {
    name: bull.name,
    bull,
    async addAll(rings) {
      await connected()
      const jobs = jobsOf(rings, isForOne(bull.name)).map(({ id, data, traceparent }) => ({
        name: bull.name,
        data,
        opts: { jobId: id, ...tracedIn(traceparent) },
      }))
      if (jobs.length > aloneMax) await bull.addBulk(jobs)
      else await Promise.all(jobs.map(({ name, data, opts }) => bull.add(name, data, opts)))
    },
    async state() {
      await connected()
      const [metrics, count] = await Promise.all([
        bull.exportPrometheusMetrics(),
        bull.getWaitingCount(),
      ])
      // Newest first: asked for the oldest first, the backend in PostgreSQL gives the newest all the
      // same where the range is bounded (BullMQ 6.7). A few, since workers take them meanwhile.
      const last = await bull.getJobs(['waiting'], Math.max(0, count - 10), count, false)
      const times = last.map((job) => job.timestamp)
      return { metrics, oldestAt: times.length === 0 ? null : Math.min(...times) }
    },
    close: () => bull.close(),
  }
}

/** `close()` alone waits for active jobs without limit. */
async function closeWorker(
  worker: { close(force?: boolean): Promise<void> },
  deadlineMs: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), deadlineMs)
  })
  const outcome = await Promise.race([worker.close(), deadline])
  clearTimeout(timer)
  if (outcome === 'late') await worker.close(true)
}
