import type { Lane, Provider } from '@pushkeep/domain'
import { type Endpoints, Urgency } from '@pushkeep/providers'
import {
  deliveryQueue,
  openQueues,
  type PointerQueue,
  planQueue,
  type QueueBackend,
  type QueueTelemetry,
  queueNames,
} from '@pushkeep/queues'
import { describeError, type Metrics } from '@pushkeep/runtime'
import {
  addActivity,
  type Database,
  type DoubtRule,
  type EncryptionKey,
  endActivity,
  leaseSeconds,
  loadCredentials,
  type MessageRetention,
  renewLeases,
  withRepeat,
} from '@pushkeep/store'
import type { Logger } from 'pino'
import { v4 as uuidv4 } from 'uuid'
import { startReporter } from './activity/reporter.ts'
import { createSums } from './activity/sums.ts'
import { startClerk } from './credential-clerk.ts'
import { deliverChunk } from './delivery/deliver.ts'
import { createLeaseKeeper } from './delivery/leases.ts'
import { startRecording } from './delivery/recording.ts'
import { createSlices, usualSlices } from './delivery/render-slices.ts'
import { createSenders } from './delivery/senders.ts'
import { deliverDeps, windowSize } from './delivery-deps.ts'
import { startEraser } from './eraser.ts'
import { createWorkerEvents } from './events.ts'
import { presentably } from './failed-jobs.ts'
import { startHousekeeping } from './housekeeping.ts'
import { startTrials } from './lane-trial.ts'
import { createAppNames } from './metrics/app-labels.ts'
import { observeWork } from './metrics/in-flight.ts'
import { observeProviders } from './metrics/provider-pools.ts'
import { measurePushes } from './metrics/push-meter.ts'
import { startSurvey } from './metrics/survey.ts'
import { planMessage } from './plan.ts'
import { startReconciler } from './reconciler.ts'
import { startRelay } from './relay.ts'
import { createWorkTracing } from './tracing.ts'

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
  /** When ambiguous answers pause a lane. */
  doubtRule: DoubtRule
  /** The time that rendering the templates of one push may take, in milliseconds. */
  renderMs: number
  /** Leases of a chunk that may run out in a row without one more outcome, until it is given up. */
  strandedMax: number
  /** How long events of people are kept. */
  eventDays: number
  metrics: Metrics
  /** BullMQ's spans; null: nothing is traced. */
  telemetry: QueueTelemetry | null
  now: () => number
  random: () => number
}

/** How often the database is told what this process saw, in milliseconds. */
const reportEveryMs = 2000

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
  const urgency = new Urgency()
  const senders = createSenders({
    load: (appNo, provider) => loadCredentials(database, options.encryptionKey, appNo, provider),
    endpoints: options.endpoints,
    openMax: 200,
    closeDeadlineMs: drainMs,
    slices: createSlices({ ...usualSlices, urgency, now: () => performance.now() }),
    renderMs: options.renderMs,
    urgency,
    windowSize,
    now,
    random,
  })
  observeProviders(metrics, apps, senders)
  const measured = measurePushes(metrics, apps, senders)
  const sums = createSums(now)
  const recording = startRecording({ ...options, events })
  const { recorder } = recording
  observeWork(metrics, { leases: leases.count, unwritten: recorder.backlog })
  const deps = deliverDeps({
    ...options,
    events,
    leases,
    senders: tracing ? tracing.measure(measured) : measured,
    recorder,
    sums,
    isStopping: () => isStopping,
    tracing,
  })
  const relay = startRelay({
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
    eventDays: options.eventDays,
    encryptionKey: options.encryptionKey,
    onAuditHead: (head) => logger.info({ event: 'audit.head', head }),
    now,
    onUnbalanced: events.unbalanced,
    onError: onError('housekeeping.failed'),
  })
  const trials = startTrials({
    database,
    deliver: deps,
    pollMs: 500,
    onError: onError('lane-trial.failed'),
  })
  const eraser = startEraser({
    database,
    isLeading: reconciler.isLeading,
    pollMs: 500,
    onError: onError('erasing.failed'),
  })
  const deliver = presentably((chunkNo) => {
    const work = () => deliverChunk(deps, chunkNo)
    return tracing ? tracing.deliver(chunkNo, work) : work()
  })
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
      const beginners = [relay, survey, reconciler, clerk]
      await Promise.all([senders.openRooms(), ...beginners.map((one) => one.stop())])
      await Promise.all([housekeeping.stop(), eraser.stop(), trials.stop()])
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
