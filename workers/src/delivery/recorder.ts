import { setTimeout as sleep } from 'node:timers/promises'
import { type Backoff, backoffCeilingMs } from '@pushkeep/domain'
import type { Recorded, Recording } from '@pushkeep/store'
import type { OutcomeJournal } from './journal.ts'

export interface RecorderOptions {
  /** Writes a batch, all or nothing. */
  write: (batch: readonly Recording[]) => Promise<Recorded>
  /** Keeps what is not written yet; null: nowhere but here. */
  journal: OutcomeJournal | null
  /** Most rows that are written at once. */
  batchSize: number
  /** Rows that may wait before senders have to: bounds the memory while the database is slow. */
  backlogMax: number
  onError: (error: unknown) => void
}

/** Counts what one chunk has given to the recorder and is not written yet. */
export interface Ledger {
  open: number
  whenWritten: (() => void) | null
}

export function createLedger(): Ledger {
  return { open: 0, whenWritten: null }
}

/** Resolves once everything that the ledger counts is committed. */
export function written(ledger: Ledger): Promise<void> {
  if (ledger.open === 0) return Promise.resolve()
  return new Promise((resolve) => {
    ledger.whenWritten = resolve
  })
}

interface Entry {
  recording: Recording
  ledger: Ledger
}

// Short: leases run on while the database is away, and what is written late is sent twice.
const retryBackoff: Backoff = { firstMs: 100, capMs: 500 }

/**
 * Writes outcomes of all chunks in batches: one statement is under way, and rows gather while it
 * runs. The first of a quiet time does not wait for company: what a killed worker knew, and neither
 * database nor journal have, is sent twice. A batch that the database does not take stays and is
 * tried again.
 */
export function createRecorder(options: RecorderOptions) {
  const { journal } = options
  let entries: Entry[] = []
  /** Of this turn, not in the journal yet. */
  let fresh: Recording[] = []
  let isTurnOpen = false
  let isWriting = false
  const waiters: (() => void)[] = []

  function add(recording: Recording, ledger: Ledger) {
    ledger.open += 1
    entries.push({ recording, ledger })
    if (journal) fresh.push(recording)
    if (isTurnOpen) return
    isTurnOpen = true
    // After the answers of this turn: frames read from one socket together go together.
    setImmediate(endTurn)
  }

  function endTurn() {
    isTurnOpen = false
    keep()
    if (!isWriting) void writeAll()
  }

  function keep() {
    if (fresh.length === 0) return
    journal?.append(fresh)
    fresh = []
  }

  async function writeAll() {
    isWriting = true
    let failures = 0
    while (entries.length > 0) {
      keep()
      const batch = entries.slice(0, options.batchSize)
      try {
        await options.write(batch.map((entry) => entry.recording))
      } catch (error) {
        options.onError(error)
        failures += 1
        await sleep(backoffCeilingMs(retryBackoff, failures))
        continue
      }
      failures = 0
      entries = entries.slice(batch.length)
      journal?.recorded(batch.length)
      settle(batch)
    }
    isWriting = false
  }

  function settle(batch: Entry[]) {
    for (const { ledger } of batch) {
      ledger.open -= 1
      if (ledger.open === 0) ledger.whenWritten?.()
    }
    if (entries.length < options.backlogMax) {
      for (const resolve of waiters.splice(0)) resolve()
    }
  }

  return {
    add,
    /** Resolves when there is room for more. */
    room(): Promise<void> {
      if (entries.length < options.backlogMax) return Promise.resolve()
      return new Promise((resolve) => waiters.push(resolve))
    },
    backlog: () => entries.length,
  }
}

export type Recorder = ReturnType<typeof createRecorder>
