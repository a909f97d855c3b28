import {
  openQueues,
  type PointerQueue,
  type QueueBackend,
  type Queues,
  queueNames,
} from '@pushkeep/queues'

/** Longest wait for the queues' server when they are opened, in milliseconds. */
const openTimeoutMs = 5000
const closeTimeoutMs = 2000

export interface QueueAccessOptions {
  backend: QueueBackend
  /** A fault of a connection: reported, never thrown. */
  onError: (error: Error) => void
}

/** How full a queue is. */
export interface QueueDepth {
  name: string
  waiting: number
  active: number
  failed: number
  /** Age of the job that has waited longest, in seconds; null where none waits. */
  oldestSeconds: number | null
}

/** The queues as operations see them, opened by whoever asks first. */
export interface QueueAccess {
  /** Every queue; rejects within seconds while their server is away. */
  queues(): Promise<readonly PointerQueue[]>
  /** How full each is; rejects likewise. `now` in ms. */
  depths(now: number): Promise<QueueDepth[]>
  close(): Promise<void>
}

interface Opened {
  pointers: readonly PointerQueue[]
  close(): Promise<void>
}

/**
 * Opens the queues when they are first looked at: while their server is away, everything else starts
 * and works, and the next look tries anew.
 */
export function createQueueAccess(options: QueueAccessOptions): QueueAccess {
  let opened: Promise<Opened> | null = null

  async function open(): Promise<Opened> {
    opened ??= openAll(options)
    const opening = opened
    try {
      return await opening
    } catch (error) {
      // A queue that failed to open stays so.
      if (opened === opening) opened = null
      throw error
    }
  }

  return {
    queues: async () => (await open()).pointers,
    async depths(now) {
      const { pointers } = await open()
      return within(openTimeoutMs, Promise.all(pointers.map((queue) => depthOf(queue, now))))
    },
    async close() {
      const all = await opened?.catch(() => null)
      await all?.close()
    },
  }
}

async function openAll({ backend, onError }: QueueAccessOptions): Promise<Opened> {
  const queues = openQueues({ backend, onError: sparingly(onError) })
  const pointers = queueNames.map((name) => queues.queue(name))
  const close = () => closeAll(queues, pointers)
  try {
    await within(openTimeoutMs, Promise.all(pointers.map(({ bull }) => bull.waitUntilReady())))
    return { pointers, close }
  } catch (error) {
    void close()
    throw error
  }
}

async function depthOf({ name, bull }: PointerQueue, now: number): Promise<QueueDepth> {
  const [counts, oldest] = await Promise.all([
    bull.getJobCounts('waiting', 'active', 'failed'),
    bull.getJobs(['waiting'], 0, 0, true),
  ])
  const since = oldest[0]?.timestamp
  return {
    name,
    waiting: counts.waiting ?? 0,
    active: counts.active ?? 0,
    failed: counts.failed ?? 0,
    oldestSeconds: since === undefined ? null : Math.max(0, (now - since) / 1000),
  }
}

/** A server that is away fails several times a second: one report in ten seconds says as much. */
export function sparingly(report: (error: Error) => void): (error: Error) => void {
  let quietUntil = 0
  return (error) => {
    const now = performance.now()
    if (now < quietUntil) return
    quietUntil = now + 10_000
    report(error)
  }
}

/** A queue whose server is away waits for it even to close. */
async function closeAll(queues: Queues, pointers: readonly PointerQueue[]): Promise<void> {
  const closed = Promise.allSettled(pointers.map((queue) => queue.close()))
  await within(closeTimeoutMs, closed).catch(() => {})
  await queues.close()
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('not within its time')), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
