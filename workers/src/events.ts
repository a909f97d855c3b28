import { lanes, type Provider, providers } from '@pushkeep/domain'
import { activeTraceId, boundedLabel, type Metrics } from '@pushkeep/runtime'
import type { BooksChecked, Recorded, Recording, Rescued } from '@pushkeep/store'
import type { Logger } from 'pino'
import { Counter, Histogram } from 'prom-client'
import type { ChunkReport } from './delivery/deliver.ts'
import type { AppNames } from './metrics/app-labels.ts'

/** What happens in the workers, as it is counted and logged. One function an event. */
export interface WorkerEvents {
  /** A chunk was delivered as far as it went: one line each. */
  chunkDelivered(report: ChunkReport): void
  /** A batch of outcomes was written. */
  recorded(batch: readonly Recording[], recorded: Recorded, ms: number): Promise<void>
  /** A lane was stopped for a fault of its credentials. */
  lanePaused(lane: { appNo: number; provider: Provider }, reason: string): Promise<void>
  /** So many tokens were judged dead at once that none is retired any more (R10). */
  guardTripped(appNo: number, provider: Provider, reason: string): Promise<void>
  /** The reconciler found work that nobody would have done. */
  rescued(rescued: Rescued): void
  /** Messages do not add up (R4). */
  unbalanced(checked: BooksChecked): void
}

const batchSizes = [1, 2, 5, 10, 20, 50, 100, 200, 350, 500]
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15]

// Reasons of deliveries: those of both providers and our own.
const reasonsMax = 200

export function createWorkerEvents(metrics: Metrics, logger: Logger, apps: AppNames): WorkerEvents {
  const registers = [metrics.registry]
  const chunks = new Counter({
    name: 'pushkeep_chunks_total',
    help: 'Chunks that were worked on, by how it ended',
    labelNames: ['provider', 'lane', 'ended'],
    registers,
  })
  for (const provider of providers) {
    for (const lane of lanes) chunks.inc({ provider, lane, ended: 'given-up' }, 0)
  }
  const deliveries = new Counter({
    name: 'pushkeep_deliveries_total',
    help: 'Deliveries as this process wrote them down, by status; pending ones come back',
    labelNames: ['app', 'app_name', 'provider', 'status', 'reason'],
    registers,
  })
  const batch = new Histogram({
    name: 'pushkeep_write_back_batch_size',
    help: 'Outcomes that were written by one statement',
    buckets: batchSizes,
    registers,
  })
  const writing = new Histogram({
    name: 'pushkeep_write_back_seconds',
    help: 'Time that writing a batch of outcomes took',
    buckets: seconds,
    registers,
  })
  const late = new Counter({
    name: 'pushkeep_late_verdicts_total',
    help: 'Verdicts of death that were about an earlier registration, and were ignored (R2)',
    registers,
  })
  const pauses = new Counter({
    name: 'pushkeep_lane_pauses_total',
    help: 'Lanes that were paused, by what for',
    labelNames: ['app', 'app_name', 'provider', 'cause'],
    registers,
  })
  const rescues = new Counter({
    name: 'pushkeep_rescued_total',
    help: 'Work that the reconciler found lost and rang again',
    labelNames: ['kind'],
    registers,
  })
  for (const kind of ['expired_lease', 'unheard', 'unplanned']) rescues.inc({ kind }, 0)
  const boundedReason = boundedLabel(reasonsMax)

  return {
    chunkDelivered(report) {
      chunks.inc({ provider: report.provider, lane: report.lane, ended: report.ended })
      if (report.ended === 'given-up') {
        logger.error({ event: 'chunk.given-up', ...lineOf(report) })
      }
      logger.info({ event: 'chunk.delivered', ...lineOf(report), trace_id: activeTraceId() })
    },
    async recorded(recordings, recorded, ms) {
      for (const { recording, count } of byStatus(recordings)) {
        const { appNo, provider, status, reason } = recording
        const labels = { provider, status, reason: boundedReason(reason ?? '') }
        deliveries.inc({ ...(await apps.find(appNo)), ...labels }, count)
      }
      batch.observe(recordings.length)
      writing.observe(ms / 1000)
      late.inc(recorded.late)
    },
    async lanePaused({ appNo, provider }, reason) {
      const app = await apps.find(appNo)
      pauses.inc({ ...app, provider, cause: 'credentials' })
      logger.error({ event: 'app.paused', ...app, provider, reason })
    },
    async guardTripped(appNo, provider, reason) {
      const app = await apps.find(appNo)
      pauses.inc({ ...app, provider, cause: 'mass_bounce' })
      logger.error({ event: 'guard.tripped', ...app, provider, reason })
    },
    rescued(found) {
      rescues.inc({ kind: 'expired_lease' }, found.expiredLeases)
      rescues.inc({ kind: 'unheard' }, found.unheard)
      rescues.inc({ kind: 'unplanned' }, found.unplanned)
      logger.warn({ event: 'reconciler.rescued', ...found })
    },
    unbalanced({ unbalanced }) {
      logger.error({ event: 'books.unbalanced', unbalanced })
    },
  }
}

function lineOf({ messageId, chunkNo, ...rest }: ChunkReport) {
  return { message_id: messageId, chunk: chunkNo, ...rest }
}

/** The recordings of a batch by what is counted of them, one of each with their number. */
function byStatus(recordings: readonly Recording[]) {
  const groups = new Map<string, { recording: Recording; count: number }>()
  for (const recording of recordings) {
    const { appNo, provider, status, reason } = recording
    const key = `${appNo} ${provider} ${status} ${reason}`
    const group = groups.get(key)
    if (group) group.count += 1
    else groups.set(key, { recording, count: 1 })
  }
  return groups.values()
}
