import type { Lane, Provider } from '@pushkeep/domain'
import type { Endpoints } from '@pushkeep/providers'
import {
  deliveryQueue,
  openQueues,
  type PointerQueue,
  planQueue,
  type QueueBackend,
  type QueueTelemetry,
  queueNames,
} from '@pushkeep/queues'
import { describeError, type Metrics, observeCoalescers } from '@pushkeep/runtime'
import {
  claimWindow,
  closeChunk,
  coalesce,
  type Database,
  type EncryptionKey,
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
import { type DeliverDeps, deliverChunk } from './delivery/deliver.ts'
import { createLeaseKeeper } from './delivery/leases.ts'
import { startRecording } from './delivery/recording.ts'
import { createSenders } from './delivery/senders.ts'
import { createWorkerEvents, type WorkerEvents } from './events.ts'
import { startHousekeeping } from './housekeeping.ts'
import { createAppNames } from './metrics/app-labels.ts'
import { observeWork } from './metrics/in-flight.ts'
import { observeProviders } from './metrics/provider-pools.ts'
import { measurePushes } from './metrics/push-meter.ts'
import { startSurvey } from './metrics/survey.ts'
import { planMessage } from './plan.ts'
import { startReconciler } from './reconciler.ts'
import { startRelay } from './relay.ts'
import { createWorkTracing, type WorkTracing } from './tracing.ts'

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
  metrics: Metrics
  /** BullMQ's spans; null: nothing is traced. */
  telemetry: QueueTelemetry | null
  now: () => number
  random: () => number
}

/** Recipients claimed at a time: what a killed worker leaves unknown is at most that per chunk. */
export const windowSize = 100

/** How long work under way may take when the process is to end, in milliseconds. */
const drainMs = 10_000

/** Apps that metrics tell apart; all others are one. */
const namedAppsMax = 100

/** Starts relay, planner, delivery, recording and reconciler; `stop` drains them. */
export function startWorkers(options: WorkersOptions) {
  const { database, databaseUrl, logger, metrics, now, random } = options
  const apps = createAppNames(database, namedAppsMax)
  const events = createWorkerEvents(metrics, logger, apps)
  const onError = (event: string) => (error: unknown) =>
    logger.warn({ event, err: describeError(error) })
  let isStopping = false
  const tracing = options.telemetry ? createWorkTracing() : null
  const queues = openQueues({
    backend: options.backend,
    onError: onError('queue.failed'),
    telemetry: options.telemetry,
  })
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
  observeProviders(metrics, apps, senders)
  const measured = measurePushes(metrics, apps, senders)
  const recording = startRecording({ ...options, events })
  const { recorder } = recording
  observeWork(metrics, { leases: leases.count, unwritten: recorder.backlog })
  const deps = deliverDeps(options, {
    events,
    leases,
    senders: tracing ? tracing.measure(measured) : measured,
    recorder,
    isStopping: () => isStopping,
    tracing,
  })
  const relay = startRelay({
    database,
    databaseUrl,
    queue,
    batchSize: 500,
    pollMs: 1000,
    trace: tracing ? tracing.ring : null,
    onError: onError('relay.failed'),
  })
  const reconciler = startReconciler({
    databaseUrl,
    intervalMs: 1000,
    batchSize: 1000,
    now,
    onRescued: events.rescued,
    onError: onError('reconciler.failed'),
  })
  const survey = startSurvey({
    sql: database,
    queues: queueNames.map(queue),
    metrics,
    isLeading: reconciler.isLeading,
    intervalMs: 5000,
    lanesMax: 2 * namedAppsMax,
    now,
    onError: onError('survey.failed'),
  })
  const housekeeping = startHousekeeping({
    database,
    retention: options.retention,
    isLeading: reconciler.isLeading,
    now,
    onUnbalanced: events.unbalanced,
    onError: onError('housekeeping.failed'),
  })
  const deliver = (chunkNo: string) => {
    const work = () => deliverChunk(deps, chunkNo)
    return tracing ? tracing.deliver(chunkNo, work) : work()
  }
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
      (messageNo) => planMessage(database, messageNo, () => isStopping),
      settings(2),
    ),
    ...lanes.map(([provider, lane]) =>
      queues.worker(deliveryQueue(provider, lane), deliver, settings(options.concurrency[lane])),
    ),
  ]
  return {
    async stop() {
      isStopping = true
      await Promise.all([relay.stop(), survey.stop(), reconciler.stop(), senders.openRooms()])
      await housekeeping.stop()
      await Promise.all(workers.map((worker) => worker.close(drainMs)))
      leases.stop()
      await senders.close()
      await recording.stop()
      for (const one of rung.values()) await one.close()
      await queues.close()
    },
  }
}

interface Parts extends Pick<DeliverDeps, 'leases' | 'senders' | 'recorder' | 'isStopping'> {
  events: WorkerEvents
  tracing: WorkTracing | null
}

function deliverDeps(
  options: WorkersOptions,
  { events, leases, senders, recorder, isStopping, tracing }: Parts,
): DeliverDeps {
  const { database, metrics } = options
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
    onRun: observeCoalescers(metrics)('leases'),
  })
  return {
    lease: async (chunkNo, token) => (await lease({ chunkNo, lease: token })).chunk,
    claim: (chunk, token) => claimWindow(database, chunk, token, windowSize),
    close: (chunkNo, token) => withRepeat(() => closeChunk(database, chunkNo, token)),
    release: (held, delayMs) => withRepeat(() => releaseChunk(database, held, delayMs)),
    async pause(chunk, reason) {
      const isNew = await pauseProvider(database, chunk.appNo, chunk.provider, reason)
      if (isNew) await events.lanePaused(chunk, reason)
    },
    leases,
    senders,
    recorder,
    windowSize,
    isStopping,
    now: options.now,
    random: options.random,
    onDelivered(report) {
      events.chunkDelivered(report)
      tracing?.delivered(report)
    },
  }
}
