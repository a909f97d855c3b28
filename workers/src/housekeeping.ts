import type { AuditHead } from '@pushkeep/domain'
import {
  analyzeOutgrown,
  auditLogs,
  type BooksChecked,
  checkBooks,
  createPartitions,
  type Database,
  dropOldErasures,
  dropOldEvents,
  dropOldMessages,
  type EarlyReceiptPlace,
  type EncryptionKey,
  type EventRetention,
  type MessageRetention,
  removeFullBuckets,
  settleEarlyReceipts,
  signAuditHead,
  updateUsualShares,
} from '@pushkeep/store'

export interface HousekeepingOptions extends EventRetention {
  database: Database
  retention: MessageRetention
  /** Signs the heads of the audit logs. */
  encryptionKey: EncryptionKey
  /** Told of them every hour: in a log that is kept elsewhere they show what was cut off. */
  onAuditHead: (head: AuditHead) => void
  /** Of all workers one keeps house. */
  isLeading: () => boolean
  now: () => number
  /** Messages that do not add up were found (R4). */
  onUnbalanced: (checked: BooksChecked) => void
  onError: (error: unknown) => void
}

/** A chore, and how often it is done, in milliseconds. */
interface Chore {
  everyMs: number
  doneAt: number
  run: () => Promise<unknown>
}

/** How often somebody looks whether a chore is due, in milliseconds. */
const lookEveryMs = 1000

/** Most messages whose books are checked in one go. */
const booksBatch = 2000

/** Most receipts that came too early and are looked at in one go. */
const receiptBatch = 1000

/**
 * What is not urgent: partitions ahead of need, what was kept long enough, receipts that came before
 * their delivery was on record, statistics of what grew fast, what is usual for the mass-bounce guard,
 * the check of the books. Apart from the reconciler, which must not wait for any of it.
 */
export function startHousekeeping(options: HousekeepingOptions) {
  const { database, isLeading, now, onError } = options
  const chore = (everyMs: number, run: () => Promise<unknown>): Chore => ({
    everyMs,
    doneAt: Number.NEGATIVE_INFINITY,
    run,
  })
  const chores = [
    chore(60 * 60_000, () => createPartitions(database, now())),
    chore(60 * 60_000, () => dropOldEvents(database, now(), options)),
    chore(5000, () => analyzeOutgrown(database)),
    chore(2000, settleReceipts),
    chore(60 * 60_000, () => dropOldMessages(database, now(), options.retention)),
    chore(60 * 60_000, () => dropOldErasures(database, now(), options.retention)),
    chore(60_000, () => updateUsualShares(database)),
    chore(5000, () => removeFullBuckets(database)),
    chore(5000, checkAllBooks),
    chore(60 * 60_000, tellAuditHeads),
  ]
  let isStopped = false
  let working: Promise<void> | null = null
  let receiptsAfter: EarlyReceiptPlace | null = null

  async function settleReceipts() {
    receiptsAfter = await settleEarlyReceipts(database, receiptsAfter, receiptBatch)
  }

  async function tellAuditHeads() {
    for (const workspaceNo of await auditLogs(database)) {
      const head = await signAuditHead(database, options.encryptionKey, workspaceNo, now())
      if (head) options.onAuditHead(head)
    }
  }

  async function checkAllBooks() {
    for (;;) {
      const checked = await checkBooks(database, booksBatch)
      if (checked.unbalanced.length > 0) options.onUnbalanced(checked)
      if (checked.checked < booksBatch || isStopped) return
    }
  }

  async function work() {
    for (const one of chores) {
      if (isStopped || !isLeading() || now() - one.doneAt < one.everyMs) continue
      one.doneAt = now()
      await one.run().catch(onError)
    }
  }

  const timer = setInterval(() => {
    working ??= work().finally(() => {
      working = null
    })
  }, lookEveryMs)
  return {
    async stop() {
      isStopped = true
      clearInterval(timer)
      await working
    },
  }
}
