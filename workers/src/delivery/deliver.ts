import type { Outcome, Verdict } from '@pushkeep/domain'
import type { Claimable, LeasedChunk, Recipient, Recording } from '@pushkeep/store'
import type { Sums } from '../activity/sums.ts'
import { admit, failed, judge } from './judge.ts'
import { type HeldLease, type LeaseKeeper, newLease } from './leases.ts'
import { createLedger, type Ledger, type Recorder, written } from './recorder.ts'
import type { MessageSender, Senders } from './senders.ts'

/** What delivering needs; each a plain function or a small object, so that tests can stand in. */
export interface DeliverDeps {
  /** Leases a chunk and claims its first window; null where somebody else has it or nothing is due. */
  lease(chunkNo: string, lease: string): Promise<LeasedChunk | null>
  claim(chunk: Claimable, lease: string, window: number): Promise<Recipient[] | null>
  close(chunkNo: string, lease: string): Promise<boolean>
  release(held: { chunkNo: string; lease: string; claimed: number }, delayMs: number): Promise<void>
  /** Stops an app's lane, with a reason that people see and the device whose delivery led to it. */
  pause(chunk: LeasedChunk, reason: string, deviceNo: number): Promise<void>
  leases: LeaseKeeper
  recorder: Recorder
  senders: Senders
  /** Counts what is seen, for whoever watches. */
  sums: Sums
  /** Most recipients that are claimed at a time. */
  windowSize: number
  /** Leases of a chunk that may run out in a row without one more outcome, until it is given up. */
  strandedMax: number
  /** This process is to end: windows under way are finished, no new one begins. */
  isStopping(): boolean
  now(): number
  random(): number
  onDelivered(report: ChunkReport): void
  /** A provider answered a push, or nothing came; left out: no one asks. */
  onAnswered?(chunk: LeasedChunk, deviceNo: number, outcome: Outcome): void
}

/** One line a chunk. */
export interface ChunkReport {
  messageId: string
  chunkNo: string
  provider: string
  lane: string
  lease: number
  sent: number
  settled: number
  pending: number
  ms: number
  /** `given-up`: its deliveries failed, since no lease of it got anywhere. */
  ended: 'done' | 'lost' | 'released' | 'given-up'
}

/** What the windows of a chunk came to so far. */
interface Progress {
  ledger: Ledger
  sent: number
  settled: number
  pending: number
  pause: { reason: string; deviceNo: number } | null
}

/**
 * Delivers one chunk: lease, then window by window claim, send, judge, record; at the end what is
 * still pending becomes chunks of its own. A job that comes twice finds the chunk held or done.
 */
export async function deliverChunk(deps: DeliverDeps, chunkNo: string): Promise<void> {
  const lease = newLease()
  const began = deps.now()
  const chunk = await deps.lease(chunkNo, lease)
  if (!chunk) return
  const held = deps.leases.hold(chunkNo, lease)
  const progress: Progress = {
    ledger: createLedger(),
    sent: 0,
    settled: 0,
    pending: 0,
    pause: null,
  }
  try {
    const ended = await (chunk.stranded < deps.strandedMax
      ? runWindows(deps, chunk, held, progress)
      : giveUp(deps, chunk, held, progress))
    deps.onDelivered({
      messageId: chunk.message.id,
      chunkNo,
      provider: chunk.provider,
      lane: chunk.lane,
      lease: chunk.leases,
      sent: progress.sent,
      settled: progress.settled,
      pending: progress.pending,
      ms: deps.now() - began,
      ended,
    })
  } finally {
    deps.leases.release(held)
  }
}

/** Fails what is left of a chunk: whatever sends it ends its worker, or takes longer than a lease. */
async function giveUp(
  deps: DeliverDeps,
  chunk: LeasedChunk,
  held: HeldLease,
  progress: Progress,
): Promise<ChunkReport['ended']> {
  let { claimed, recipients } = chunk
  for (;;) {
    for (const recipient of recipients) {
      const recording = failed(chunk, recipient, 'no_progress', chunk.now)
      deps.recorder.add(recording, progress.ledger)
      countSettled(deps.sums, chunk, recording)
      progress.settled += 1
    }
    if (claimed >= chunk.size) break
    await deps.recorder.room()
    const next = await deps.claim({ ...chunk, claimed }, held.lease, deps.windowSize)
    if (next === null) return 'lost'
    claimed = Math.min(chunk.size, claimed + deps.windowSize)
    recipients = next
  }
  await written(progress.ledger)
  await deps.close(chunk.chunkNo, held.lease)
  return 'given-up'
}

async function runWindows(
  deps: DeliverDeps,
  chunk: LeasedChunk,
  held: HeldLease,
  progress: Progress,
): Promise<ChunkReport['ended']> {
  // The database's clock, carried on by ours: outcomes of several machines are ordered by it (R3).
  const skew = chunk.now - deps.now()
  const clock = () => deps.now() + skew
  const sender = await deps.senders.open(chunk, clock)
  const isBulk = chunk.lane === 'bulk'
  let windowStart = chunk.claimedBefore
  let claimed = chunk.claimed
  // Of a broadcast the lease claims nothing: it may have to wait for room.
  let recipients: Recipient[] | null = claimed === 0 ? null : chunk.recipients
  for (;;) {
    const leave = recipients === null && isBulk ? await sender.enter() : null
    if (held.isLost) {
      leave?.()
      return 'lost'
    }
    const admission = sender.breaker.enter(chunk.message.id)
    if (admission.kind === 'wait' || deps.isStopping()) {
      leave?.()
      if (admission.kind === 'go') sender.breaker.leave(chunk.message.id)
      // Nothing of this window was sent: its claim is taken back.
      const pauseMs = admission.kind === 'wait' ? admission.ms : 0
      await handBack(deps, held, progress, windowStart, pauseMs)
      return 'released'
    }
    if (recipients === null) {
      const window = Math.min(deps.windowSize, sender.windowSize())
      recipients = await deps.claim({ ...chunk, claimed }, held.lease, window)
      if (recipients === null) {
        leave?.()
        sender.breaker.leave(chunk.message.id)
        return 'lost'
      }
      claimed = Math.min(chunk.size, claimed + window)
    }
    const sending = sendWindow(deps, chunk, sender, recipients, progress, clock)
    leave?.()
    await sending
    const { pause } = progress
    if (pause !== null) await deps.pause(chunk, pause.reason, pause.deviceNo)
    if (claimed >= chunk.size) break
    if (pause !== null) {
      await handBack(deps, held, progress, claimed, 0)
      return 'released'
    }
    await deps.recorder.room()
    windowStart = claimed
    recipients = null
  }
  await written(progress.ledger)
  // A fresh chunk without retries is done by what was recorded; anything else is closed by counting.
  if (progress.settled < chunk.size) await deps.close(chunk.chunkNo, held.lease)
  return 'done'
}

async function handBack(
  deps: DeliverDeps,
  held: HeldLease,
  progress: Progress,
  claimed: number,
  delayMs: number,
): Promise<void> {
  // What was sent must be on record before somebody else may look at the chunk.
  await written(progress.ledger)
  const spread = delayMs === 0 ? 0 : delayMs + deps.random() * 1000
  await deps.release({ ...held, claimed }, spread)
}

/** Sends one window and resolves when each of its recipients has an outcome. */
function sendWindow(
  deps: DeliverDeps,
  chunk: LeasedChunk,
  sender: MessageSender,
  recipients: readonly Recipient[],
  progress: Progress,
  clock: () => number,
): Promise<void> {
  const messageId = chunk.message.id
  return new Promise((resolve) => {
    let open = recipients.length
    const settled = () => {
      open -= 1
      if (open > 0) return
      sender.breaker.leave(messageId)
      resolve()
    }
    if (open === 0) {
      sender.breaker.leave(messageId)
      resolve()
      return
    }
    for (const recipient of recipients) {
      const admission = admit(chunk, recipient, clock())
      if (admission.kind === 'settle') {
        deps.recorder.add(admission.recording, progress.ledger)
        countSettled(deps.sums, chunk, admission.recording)
        progress.settled += 1
        settled()
        continue
      }
      const began = deps.now()
      const { deviceNo, environment, customer } = recipient
      const push = { token: admission.token, deviceNo, environment, customer }
      sender.send(push, (outcome) => {
        const judged = judge(chunk, recipient, outcome, clock(), deps.random)
        deps.recorder.add(judged.recording, progress.ledger)
        deps.sums.answered(chunk, outcome, deps.now() - began)
        deps.onAnswered?.(chunk, deviceNo, outcome)
        countSettled(deps.sums, chunk, judged.recording)
        sender.breaker.answered(messageId, deviceNo, outcome)
        count(progress, judged.verdict, deviceNo)
        settled()
      })
    }
  })
}

/** A delivery that ended, for the charts; a broadcast's by message as well. */
function countSettled(sums: Sums, chunk: LeasedChunk, { status, reason }: Recording): void {
  if (status === 'pending') return
  sums.settled(chunk, chunk.lane === 'bulk' ? chunk.messageNo : null, status, reason)
}

function count(progress: Progress, verdict: Verdict, deviceNo: number): void {
  switch (verdict.kind) {
    case 'settle':
      progress.settled += 1
      if (verdict.status === 'sent') progress.sent += 1
      return
    case 'retry':
      progress.pending += 1
      return
    case 'pause':
      progress.pending += 1
      progress.pause ??= { reason: verdict.reason, deviceNo }
  }
}
