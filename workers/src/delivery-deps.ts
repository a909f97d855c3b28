import { type Metrics, observeCoalescers } from '@pushkeep/runtime'
import {
  claimWindow,
  closeChunk,
  coalesce,
  type Database,
  type LeasedChunk,
  leaseChunks,
  pauseProvider,
  releaseChunk,
  withRepeat,
} from '@pushkeep/store'
import type { DeliverDeps } from './delivery/deliver.ts'
import type { WorkerEvents } from './events.ts'
import type { WorkTracing } from './tracing.ts'

/** Recipients claimed at a time: what a killed worker leaves unknown is at most that per chunk. */
export const windowSize = 100

interface Parts
  extends Pick<
    DeliverDeps,
    'leases' | 'senders' | 'recorder' | 'sums' | 'isStopping' | 'strandedMax' | 'now' | 'random'
  > {
  database: Database
  metrics: Metrics
  events: WorkerEvents
  tracing: WorkTracing | null
}

/** What delivering needs, from the database and from what this process runs. */
export function deliverDeps({ database, metrics, events, tracing, ...parts }: Parts): DeliverDeps {
  const { leases, senders, recorder, sums, isStopping, strandedMax, now, random } = parts
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
    claim: (chunk, token, window) => claimWindow(database, chunk, token, window),
    close: (chunkNo, token) => withRepeat(() => closeChunk(database, chunkNo, token)),
    release: (held, delayMs) => withRepeat(() => releaseChunk(database, held, delayMs)),
    async pause(chunk, reason, deviceNo) {
      const { appNo, provider, messageNo } = chunk
      const cause = { messageNo, deviceNo, agreed: 1 }
      const isNew = await pauseProvider(database, appNo, provider, reason, cause)
      if (isNew) await events.lanePaused(chunk, reason)
    },
    leases,
    senders,
    recorder,
    sums,
    windowSize,
    strandedMax,
    isStopping,
    now,
    random,
    onDelivered(report) {
      events.chunkDelivered(report)
      tracing?.delivered(report)
    },
  }
}
