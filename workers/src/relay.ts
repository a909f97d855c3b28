import type { PointerQueue } from '@pushkeep/queues'
import {
  type Database,
  type Doorbell,
  doorbellChannel,
  inTransaction,
  type Sql,
  takeDoorbells,
} from '@pushkeep/store'
import pg from 'pg'
import type { TracedDoorbell } from './tracing.ts'

export interface RelayOptions {
  database: Database
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

/** Pause after a failed round: the queue's server or the database is away. */
const failurePauseMs = 1000

/**
 * Rings what the outbox holds: takes rows away and adds their jobs before the transaction is
 * committed. A crash between the two leaves the rows; the job id makes adding them again harmless.
 */
export function startRelay(options: RelayOptions) {
  let isRunning = false
  let isWanted = false
  let isStopped = false
  let idle: Promise<void> = Promise.resolve()

  async function round(): Promise<number> {
    return inTransaction(options.database, async (sql) => {
      const doorbells = await takeDoorbells(sql, options.batchSize)
      const traced = options.trace ? await options.trace(sql, doorbells) : doorbells
      for (const [name, rings] of byQueue(traced)) await options.queue(name).addAll(rings)
      return doorbells.length
    })
  }

  async function run() {
    isRunning = true
    do {
      isWanted = false
      try {
        while (!isStopped && (await round()) === options.batchSize);
      } catch (error) {
        options.onError(error)
        if (!isStopped) await new Promise((resolve) => setTimeout(resolve, failurePauseMs))
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
    },
  }
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
