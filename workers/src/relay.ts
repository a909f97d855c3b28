import type { PointerQueue } from '@pushkeep/queues'
import {
  connect,
  type Doorbell,
  doorbellChannel,
  indexedSettings,
  inTransaction,
  type Sql,
  takeDoorbells,
} from '@pushkeep/store'
import pg from 'pg'
import type { TracedDoorbell } from './tracing.ts'

export interface RelayOptions {
  databaseUrl: string
  queue: (name: string) => Pick<PointerQueue, 'addAll'>
  /** Most doorbells a round. */
  batchSize: number
  /** A round is made this often even if nobody says that there is work, in milliseconds. */
  pollMs: number
  onError: (error: unknown) => void
  /** Gives each doorbell the trace of its message; null: nothing is traced. */
  trace: ((sql: Sql, doorbells: readonly Doorbell[]) => Promise<TracedDoorbell[]>) | null
}

/**
 * Least time between two rounds, in milliseconds: a lone doorbell is rung at once, and those that come
 * close upon another go together, which is a few jobs for many of them.
 */
const roundEveryMs = 10

/** Pause after a failed round: the database is away. A queue that took nothing is left alone for as long. */
const failurePauseMs = 1000

/**
 * Rings what the outbox holds: takes rows away and adds their jobs before the transaction is
 * committed. A crash between the two leaves the rows; the job id makes adding them again harmless. A queue
 * that takes nothing holds back its own doorbells alone.
 */
export function startRelay(options: RelayOptions) {
  // A round that is lost in a crash is made again, and its jobs are known by their ids: it need not wait
  // for the disk.
  const database = connect({
    url: options.databaseUrl,
    name: 'pushkeep relay',
    connectionsMax: 1,
    settings: { ...indexedSettings, synchronous_commit: 'off' },
    onError: options.onError,
  })
  /** Queues that took nothing, and until when they are left alone. */
  const resting = new Map<string, number>()
  let isRunning = false
  let isWanted = false
  let isStopped = false
  let lastAt = Number.NEGATIVE_INFINITY
  let idle: Promise<void> = Promise.resolve()

  async function round(): Promise<number> {
    return inTransaction(database, async (sql) => {
      const doorbells = await takeDoorbells(sql, options.batchSize, restingNow())
      const traced = options.trace ? await options.trace(sql, doorbells) : doorbells
      for (const [name, rings] of byQueue(traced)) await addAll(name, rings)
      return doorbells.length
    })
  }

  async function addAll(name: string, rings: readonly TracedDoorbell[]): Promise<void> {
    try {
      await options.queue(name).addAll(rings)
    } catch (error) {
      resting.set(name, performance.now() + failurePauseMs)
      throw new QueueRefusal(error)
    }
  }

  function restingNow(): string[] {
    for (const [name, until] of resting) if (until <= performance.now()) resting.delete(name)
    return [...resting.keys()]
  }

  async function run() {
    isRunning = true
    do {
      try {
        do {
          await sleep(lastAt + roundEveryMs - performance.now())
          isWanted = false
          lastAt = performance.now()
        } while (!isStopped && (await round()) === options.batchSize)
      } catch (error) {
        const isRefused = error instanceof QueueRefusal
        options.onError(isRefused ? error.cause : error)
        if (isRefused) isWanted = true
        else if (!isStopped) await sleep(failurePauseMs)
      }
    } while (isWanted && !isStopped)
    isRunning = false
  }

  function wake() {
    isWanted = true
    if (!isRunning && !isStopped) idle = run()
  }

  const timer = setInterval(wake, options.pollMs)
  const listener = listen(options.databaseUrl, wake, options.onError)
  wake()
  return {
    wake,
    async stop() {
      isStopped = true
      clearInterval(timer)
      listener.stop()
      await idle
      await database.end()
    },
  }
}

/** A queue did not take the jobs of a round. */
class QueueRefusal extends Error {
  constructor(cause: unknown) {
    super('a queue did not take its jobs', { cause })
  }
}

async function sleep(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}

function byQueue(doorbells: TracedDoorbell[]): Map<string, TracedDoorbell[]> {
  const queues = new Map<string, TracedDoorbell[]>()
  for (const doorbell of doorbells) {
    const rings = queues.get(doorbell.queue)
    if (rings) rings.push(doorbell)
    else queues.set(doorbell.queue, [doorbell])
  }
  return queues
}

const reconnectMs = 1000

/** Wakes on NOTIFY. A connection that breaks is opened again; until then the poll makes sure. */
function listen(url: string, wake: () => void, onError: (error: unknown) => void) {
  let client: pg.Client | null = null
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  async function open() {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'pushkeep relay',
      keepAlive: true,
    })
    client = fresh
    let isGone = false
    const gone = (error?: Error) => {
      if (isGone || isStopped) return
      isGone = true
      if (error) onError(error)
      timer = setTimeout(() => void open(), reconnectMs)
    }
    fresh.on('error', gone)
    fresh.on('end', () => gone())
    fresh.on('notification', wake)
    try {
      await fresh.connect()
      await fresh.query(`listen ${doorbellChannel}`)
      wake()
    } catch (error) {
      gone(error instanceof Error ? error : new Error(String(error)))
      fresh.end().catch(() => {})
    }
  }

  void open()
  return {
    stop() {
      isStopped = true
      clearTimeout(timer)
      client?.end().catch(() => {})
    },
  }
}
