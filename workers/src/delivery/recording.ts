import { describeError } from '@pushkeep/runtime'
import {
  type Database,
  type DoubtRule,
  type Recorded,
  type Recording,
  recordOutcomes,
  weighDoubts,
  withRepeat,
} from '@pushkeep/store'
import type { Logger } from 'pino'
import type { WorkerEvents } from '../events.ts'
import { openJournal } from './journal.ts'
import { recoverOutcomes } from './journal-recovery.ts'
import { startGuard } from './mass-bounce-guard.ts'
import { createRecorder } from './recorder.ts'

export interface RecordingOptions {
  database: Database
  /** A folder of this machine for what is not recorded yet; null: it is in memory alone. */
  journalDirectory: string | null
  logger: Logger
  events: WorkerEvents
  /** When ambiguous answers pause a lane. */
  doubtRule: DoubtRule
  now: () => number
}

/** Most rows that are written at once: the knee of the curve, measured. */
const batchSize = 500

/** How often the journal is touched, and looked for those of processes that are gone. */
const journalEveryMs = 1000

/** Starts writing outcomes back: recorder, mass-bounce guard, journal and its recovery. */
export function startRecording(options: RecordingOptions) {
  const { database, journalDirectory, logger, events, doubtRule, now } = options
  const warn = (event: string) => (error: unknown) =>
    logger.warn({ event, err: describeError(error) })
  const journal =
    journalDirectory === null ? null : openJournal(journalDirectory, now, warn('journal.failed'))

  async function write(batch: readonly Recording[]): Promise<Recorded> {
    const began = performance.now()
    const recorded = await withRepeat(() => recordOutcomes(database, batch))
    await events.recorded(batch, recorded, performance.now() - began)
    for (const verdicts of recorded.verdicts) await guard.judge(verdicts)
    // The outcomes are on record: what is learnt from them must not make the batch be written again.
    await weighAll(database, events, batch, doubtRule).catch(warn('doubts.not-weighed'))
    return recorded
  }

  const guard = startGuard({ database, events, onError: warn('guard.failed') })

  let recovering: Promise<void> | null = null
  async function recover(directory: string) {
    try {
      const recovered = await recoverOutcomes({ directory, write, batchSize, now })
      if (recovered.outcomes + recovered.unreadable > 0) {
        logger.warn({ event: 'journal.recovered', ...recovered })
      }
    } catch (error) {
      warn('journal.not-recovered')(error)
    }
    recovering = null
  }

  function attend() {
    journal?.touch()
    if (journalDirectory !== null) recovering ??= recover(journalDirectory)
  }

  const timer = setInterval(attend, journalEveryMs)
  attend()
  return {
    recorder: createRecorder({
      write,
      journal,
      batchSize,
      backlogMax: 5000,
      onError: warn('recording.failed'),
    }),
    /** To be called when nothing more will be recorded. */
    async stop() {
      clearInterval(timer)
      guard.stop()
      await recovering
      journal?.close()
    },
  }
}

/** Ambiguous answers of a batch, lane by lane: where many people's devices agree a lane is paused. */
async function weighAll(
  database: Database,
  events: WorkerEvents,
  batch: readonly Recording[],
  rule: DoubtRule,
) {
  const doubted = batch.filter(({ status, effect }) => status === 'failed' && isDoubted(effect))
  const lanes = Map.groupBy(doubted, ({ appNo, provider }) => `${appNo} ${provider}`)
  for (const doubts of lanes.values()) {
    const [first] = doubts
    if (!first) continue
    const { appNo, provider } = first
    const said = doubts.map(({ reason, ...one }) => ({ ...one, reason: reason ?? '' }))
    const reason = await withRepeat(() => weighDoubts(database, { appNo, provider }, said, rule))
    if (reason !== null) await events.lanePaused({ appNo, provider }, reason)
  }
}

const isDoubted = ({ failures }: Recording['effect']) => failures !== null && failures > 0
