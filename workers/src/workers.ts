import { isMassBounce, type Lane, massBounceReason, type Provider } from '@pushkeep/domain'
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
  pauseProvider,
  type Recorded,
  recordOutcomes,
  releaseChunk,
  renewLeases,
  tripGuard,
  withRepeat,
} from '@pushkeep/store'
import type { Logger } from 'pino'
import { type DeliverDeps, deliverChunk } from './delivery/deliver.ts'
import { createLeaseKeeper } from './delivery/leases.ts'
import { createRecorder } from './delivery/recorder.ts'
import { createSenders } from './delivery/senders.ts'
import { createWorkerEvents, type WorkerEvents } from './events.ts'
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
    now,
    random,
  })
  observeProviders(metrics, apps, senders)
  const measured = measurePushes(metrics, apps, senders)
  const deps = deliverDeps(options, {
    events,
    leases,
    senders: tracing ? tracing.measure(measured) : measured,
    isStopping: () => isStopping,
    tracing,
  })
  observeWork(metrics, { leases: leases.count, unwritten: deps.recorder.backlog })
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
    isLeading: reconciler.leads,
    intervalMs: 5000,
    ledgerIntervalMs: 60_000,
    lanesMax: 2 * namedAppsMax,
    now,
    onError: onError('survey.failed'),
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
      await Promise.all([relay.stop(), survey.stop(), reconciler.stop()])
      await Promise.all(workers.map((worker) => worker.close(drainMs)))
      leases.stop()
      await senders.close()
      for (const one of rung.values()) await one.close()
      await queues.close()
    },
  }
}

/** R10: so many dead at once that the key or the provider is at fault, rather than the tokens. */
async function guardMinutes(database: Database, events: WorkerEvents, recorded: Recorded) {
  for (const minute of recorded.minutes) {
    if (!isMassBounce(minute)) continue
    const { appNo, provider } = minute
    const reason = massBounceReason(minute)
    if (await tripGuard(database, appNo, provider, reason)) {
      events.guardTripped(appNo, provider, reason)
    }
  }
}

interface Parts extends Pick<DeliverDeps, 'leases' | 'senders' | 'isStopping'> {
  events: WorkerEvents
  tracing: WorkTracing | null
}

function deliverDeps(
  options: WorkersOptions,
  { events, leases, senders, isStopping, tracing }: Parts,
): DeliverDeps {
  const { database, logger, metrics } = options
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
      if (isNew) events.lanePaused(chunk, reason)
    },
    leases,
    senders,
    recorder: createRecorder({
      write: async (batch) => {
        const began = performance.now()
        const recorded = await withRepeat(() => recordOutcomes(database, batch))
        events.recorded(batch, recorded, performance.now() - began)
        await guardMinutes(database, events, recorded)
        return recorded
      },
      batchSize: 500,
      backlogMax: 5000,
      onError: (error) => logger.warn({ event: 'recording.failed', err: describeError(error) }),
    }),
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
