import type { Lane, Provider } from '@pushkeep/domain'
import type { Endpoints } from '@pushkeep/providers'
import {
  deliveryQueue,
  openQueues,
  type PointerQueue,
  planQueue,
  type QueueBackend,
} from '@pushkeep/queues'
import { describeError } from '@pushkeep/runtime'
import {
  addActivity,
  claimWindow,
  closeChunk,
  coalesce,
  type Database,
  type EncryptionKey,
  endActivity,
  type LeasedChunk,
  leaseChunks,
  leaseSeconds,
  loadCredentials,
  type MessageRetention,
  pauseProvider,
  releaseChunk,
  renewLeases,
  withRepeat,
} from '@pushkeep/store'
import type { Logger } from 'pino'
import { v4 as uuidv4 } from 'uuid'
import { startReporter } from './activity/reporter.ts'
import { createSums } from './activity/sums.ts'
import { startClerk } from './credential-clerk.ts'
import { type DeliverDeps, deliverChunk } from './delivery/deliver.ts'
import { createLeaseKeeper } from './delivery/leases.ts'
import { startRecording } from './delivery/recording.ts'
import { createSenders } from './delivery/senders.ts'
import { presentably } from './failed-jobs.ts'
import { startHousekeeping } from './housekeeping.ts'
import { planMessage } from './plan.ts'
import { startReconciler } from './reconciler.ts'
import { startRelay } from './relay.ts'

export interface WorkersOptions {
  database: Database
  databaseUrl: string
  backend: QueueBackend
  encryptionKey: EncryptionKey
  endpoints: Endpoints
  /** A folder of this machine for outcomes that are not recorded yet; null: they are in memory alone. */
  journalDirectory: string | null
  retention: MessageRetention
  /** Chunks at a time, by lane. */
  concurrency: Record<Lane, number>
  logger: Logger
  /** How long events of people are kept. */
  eventDays: number
  now: () => number
  random: () => number
}

/** Recipients claimed at a time: what a killed worker leaves unknown is at most that per chunk. */
export const windowSize = 100

/** How often the database is told what this process saw, in milliseconds. */
const reportEveryMs = 2000

/** How long work under way may take when the process is to end, in milliseconds. */
const drainMs = 10_000

/** Starts relay, planner, delivery, recording and reconciler; `stop` drains them. */
export function startWorkers(options: WorkersOptions) {
  const { database, databaseUrl, logger, now, random } = options
  const onError = (event: string) => (error: unknown) =>
    logger.warn({ event, err: describeError(error) })
  let isStopping = false
  const queues = openQueues({ backend: options.backend, onError: onError('queue.failed') })
  const rung = new Map<string, PointerQueue>()
  const queue = (name: string) => {
    const known = rung.get(name) ?? queues.queue(name)
    rung.set(name, known)
    return known
  }
  const leases = createLeaseKeeper({
    renew: (held) => renewLeases(database, held),
    intervalMs: 2000,
    leaseMs: leaseSeconds * 1000,
    now,
    onError: onError('leases.not-renewed'),
  })
  const senders = createSenders({
    load: (appNo, provider) => loadCredentials(database, options.encryptionKey, appNo, provider),
    endpoints: options.endpoints,
    openMax: 200,
    closeDeadlineMs: drainMs,
    windowSize,
    now,
    random,
  })
  const sums = createSums(now)
  const recording = startRecording(options)
  const { recorder } = recording
  const deps = deliverDeps(options, { leases, senders, recorder, sums }, () => isStopping)
  const relay = startRelay({
    database,
    databaseUrl,
    queue,
    batchSize: 500,
    pollMs: 1000,
    onError: onError('relay.failed'),
  })
  const reconciler = startReconciler({
    databaseUrl,
    intervalMs: 1000,
    batchSize: 1000,
    now,
    onRescued: (rescued) => logger.warn({ event: 'reconciler.rescued', ...rescued }),
    onError: onError('reconciler.failed'),
  })
  const reporter = startReporter({
    worker: uuidv4(),
    sums,
    openBreakers: () => senders.openBreakers(),
    add: (report, providers, messages) =>
      withRepeat(() => addActivity(database, report, providers, messages)),
    end: (worker) => endActivity(database, worker),
    intervalMs: reportEveryMs,
    now,
    onError: onError('activity.not-reported'),
  })
  const clerk = startClerk({
    database,
    encryptionKey: options.encryptionKey,
    endpoints: options.endpoints,
    pollMs: 1000,
    onError: onError('credentials.failed'),
  })
  const housekeeping = startHousekeeping({
    database,
    retention: options.retention,
    isLeading: reconciler.isLeading,
    eventDays: options.eventDays,
    now,
    onUnbalanced: ({ unbalanced }) => logger.error({ event: 'books.unbalanced', unbalanced }),
    onError: onError('housekeeping.failed'),
  })
  const deliver = presentably((chunkNo) => deliverChunk(deps, chunkNo))
  const settings = (concurrency: number) => ({ concurrency, onError: onError('worker.failed') })
  const lanes: [Provider, Lane][] = [
    ['apns', 'transactional'],
    ['fcm', 'transactional'],
    ['apns', 'bulk'],
    ['fcm', 'bulk'],
  ]
  const workers = [
    queues.worker(
      planQueue,
      presentably((messageNo) => planMessage(database, messageNo, () => isStopping)),
      settings(2),
    ),
    ...lanes.map(([provider, lane]) =>
      queues.worker(deliveryQueue(provider, lane), deliver, settings(options.concurrency[lane])),
    ),
  ]
  return {
    async stop() {
      isStopping = true
      await Promise.all([relay.stop(), reconciler.stop(), clerk.stop(), senders.openRooms()])
      await housekeeping.stop()
      await Promise.all(workers.map((worker) => worker.close(drainMs)))
      await reporter.stop()
      leases.stop()
      await senders.close()
      await recording.stop()
      for (const one of rung.values()) await one.close()
      await queues.close()
    },
  }
}

function deliverDeps(
  options: WorkersOptions,
  parts: Pick<DeliverDeps, 'leases' | 'senders' | 'recorder' | 'sums'>,
  isStopping: () => boolean,
): DeliverDeps {
  const { database, logger } = options
  // Jobs of one-person messages that arrive together are leased and claimed by one statement.
  const lease = coalesce<{ chunkNo: string; lease: string }, { chunk: LeasedChunk | null }>({
    run: async (wanted) => {
      const leased = await withRepeat(() => leaseChunks(database, wanted, windowSize))
      const byChunk = new Map(leased.map((chunk) => [chunk.chunkNo, chunk]))
      return wanted.map(({ chunkNo }) => ({ chunk: byChunk.get(chunkNo) ?? null }))
    },
    sizeMax: 64,
    runsMax: 2,
    waitingMax: 10_000,
    keysOf: ({ chunkNo }) => [chunkNo],
  })
  return {
    lease: async (chunkNo, token) => (await lease({ chunkNo, lease: token })).chunk,
    claim: (chunk, token) => claimWindow(database, chunk, token, windowSize),
    close: (chunkNo, token) => withRepeat(() => closeChunk(database, chunkNo, token)),
    release: (held, delayMs) => withRepeat(() => releaseChunk(database, held, delayMs)),
    async pause(chunk, reason) {
      const isNew = await pauseProvider(database, chunk.appNo, chunk.provider, reason)
      const { appNo, provider } = chunk
      if (isNew) logger.error({ event: 'app.paused', app: appNo, provider, reason })
    },
    ...parts,
    windowSize,
    isStopping,
    now: options.now,
    random: options.random,
    onDelivered: (report) => logger.debug({ event: 'chunk.delivered', ...report }),
  }
}
