import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome, Tried } from '@pushkeep/domain'
import {
  claimWindow,
  type Database,
  finishTrial,
  hasOpenChunks,
  type LeasedChunk,
  leaseChunks,
  type Trial,
  type TrialChunk,
  takeTrial,
  trialChunks,
} from '@pushkeep/store'
import { type DeliverDeps, deliverChunk } from './delivery/deliver.ts'

export interface TrialsOptions {
  database: Database
  deliver: DeliverDeps
  /** How often it looks for a trial, in milliseconds. */
  pollMs: number
  onError: (error: unknown) => void
}

/** Deliveries that are tried, of different people. */
const triesMax = 3

/** Chunks that are looked at for them: recipients may have to be withheld. */
const chunksMax = 20

/** Recipients of a chunk that are looked at: those before the first one that is sent to may be withheld. */
const windowsMax = 10

const stopMs = 3000

/** Makes the trials of lanes that operators resume, one after the other. */
export function startTrials({ database, deliver, pollMs, onError }: TrialsOptions) {
  let isStopped = false
  let working: Promise<void> | null = null

  async function work(): Promise<void> {
    while (!isStopped) {
      const trial = await takeTrial(database)
      if (!trial) return
      await finishTrial(database, trial, await makeTrial(database, deliver, trial))
    }
  }

  const timer = setInterval(() => {
    working ??= work()
      .catch(onError)
      .finally(() => {
        working = null
      })
  }, pollMs)
  return {
    /** Waits a little for a trial under way; one that is cut off is made by another worker. */
    async stop() {
      isStopped = true
      clearInterval(timer)
      await Promise.race([working, sleep(stopMs, undefined, { ref: false })])
    },
  }
}

/** Sends to one recipient after another until one is accepted, or enough were refused. */
async function makeTrial(
  database: Database,
  deliver: DeliverDeps,
  trial: Trial,
): Promise<{ opened: boolean; tried: Tried[] }> {
  const chunks = ofDifferentPeople(await waitingChunks(database, trial))
  // Nothing waits that could tell: the next delivery does.
  if (chunks.length === 0) return { opened: true, tried: [] }
  const tried: Tried[] = []
  const began = deliver.now()
  for (const { chunkNo, dueInMs } of chunks.slice(0, chunksMax)) {
    const waitMs = dueInMs - (deliver.now() - began)
    if (waitMs > 0) await sleep(waitMs)
    const one = await sendOne(database, deliver, chunkNo)
    if (one) tried.push(one)
    if (one?.accepted) return { opened: true, tried }
    if (tried.length >= triesMax) break
  }
  return { opened: false, tried }
}

/** How long a worker may need to hand back what it had when the lane was paused, in milliseconds. */
const handBackMs = 3000

/** The lane's ready chunks. Where all are under way still, it waits a little for them. */
async function waitingChunks(database: Database, trial: Trial): Promise<TrialChunk[]> {
  const deadline = performance.now() + handBackMs
  for (;;) {
    const chunks = await trialChunks(database, trial)
    if (chunks.length > 0 || performance.now() > deadline) return chunks
    if (!(await hasOpenChunks(database, trial))) return chunks
    await sleep(100)
  }
}

/** The first chunk of each person. The delivery that led to the pause is tried after the others. */
function ofDifferentPeople(chunks: readonly TrialChunk[]): TrialChunk[] {
  const seen = new Set<number>()
  return chunks.filter(({ personNo, deviceNo }) => {
    const person = personNo ?? -deviceNo
    if (seen.has(person)) return false
    seen.add(person)
    return true
  })
}

/** Sends to the next recipient of a chunk alone; null where the provider was not asked. */
async function sendOne(
  database: Database,
  deliver: DeliverDeps,
  chunkNo: string,
): Promise<Tried | null> {
  let tried: Tried | null = null
  const answered = (chunk: LeasedChunk, deviceNo: number, outcome: Outcome) => {
    if (outcome.kind === 'unsent') return
    const accepted = outcome.kind === 'accepted'
    const reason = accepted ? null : outcome.reason
    tried = { messageId: chunk.message.id, deviceNo, accepted, reason }
  }
  let windows = 0
  await deliverChunk(
    {
      ...deliver,
      windowSize: 1,
      lease: async (wanted, lease) => {
        const [leased] = await leaseChunks(database, [{ chunkNo: wanted, lease }], 1, 'paused-too')
        return leased ?? null
      },
      claim: (chunk, lease, window) => claimWindow(database, chunk, lease, window),
      // What is left of the chunk goes back once one was sent to.
      isStopping: () => tried !== null || windows++ >= windowsMax || deliver.isStopping(),
      onAnswered: answered,
    },
    chunkNo,
  )
  return tried
}
