import { askedPauseMs, type Outcome, provesNoService, serviceOf } from '@pushkeep/domain'
import {
  type Admission,
  type Breaker,
  type BreakerOptions,
  createBreaker,
  type Standing,
} from './breaker.ts'
import { createRecentAnswers } from './recent-answers.ts'

/** A breaker that holds something back: one message, or with null all of an app's provider. */
export interface HeldBack extends Standing {
  messageId: string | null
}

/** Messages with a breaker of their own; the oldest makes room. */
const messagesMax = 1000

/**
 * Holds an app's provider back while it does not serve. What opens it is a share of answers about
 * different tokens, or a connection that cannot be made; a message whose own answers are the refused
 * ones is held back alone. A refused delivery waits by itself for its own time.
 */
export function createLaneBreaker(options: BreakerOptions) {
  const lane = createBreaker(options)
  const ofMessages = new Map<string, Breaker>()
  const answers = createRecentAnswers(options.now)
  let hasNewRefusals = false

  function holdMessage(messageId: string, askedMs: number): void {
    const [oldest] = ofMessages.keys()
    if (ofMessages.size >= messagesMax && oldest !== undefined) ofMessages.delete(oldest)
    const breaker = createBreaker(options)
    breaker.open(askedMs)
    ofMessages.set(messageId, breaker)
    answers.forgetMessage(messageId)
  }

  function judge(): void {
    hasNewRefusals = false
    const worst = answers.mostRefused()
    if (worst === null) return
    const ofWorst = answers.counts(worst)
    if (provesNoService(ofWorst)) holdMessage(worst, ofWorst.askedMs)
    const ofAll = answers.counts(null)
    if (!provesNoService(ofAll)) return
    lane.open(ofAll.askedMs)
    answers.forgetAll()
  }

  function refused(messageId: string, deviceNo: number, askedMs: number): void {
    lane.refused(deviceNo, askedMs)
    const own = ofMessages.get(messageId)
    if (own) {
      own.refused(deviceNo, askedMs)
      return
    }
    answers.add(messageId, deviceNo, true, askedMs)
    hasNewRefusals = true
  }

  function served(messageId: string, deviceNo: number): void {
    lane.served()
    const own = ofMessages.get(messageId)
    own?.served()
    if (own?.standing() === null) ofMessages.delete(messageId)
    answers.add(messageId, deviceNo, false, 0)
  }

  function unreachable(): void {
    const standing = lane.standing()
    // Of several connections that fail together one opens it.
    const isOpen = standing !== null && standing.openUntil > options.now()
    if (!isOpen && !answers.hasServed()) lane.open(0)
  }

  return {
    /** Asks before a window of a message is sent. `leave` follows each `go`. */
    enter(messageId: string): Admission {
      const own = ofMessages.get(messageId)
      const admission = own?.enter() ?? { kind: 'go' }
      if (admission.kind === 'wait') return admission
      const ofLane = lane.enter()
      if (ofLane.kind === 'wait') own?.leave()
      return ofLane
    },
    /** An answer came, or none. */
    answered(messageId: string, deviceNo: number, outcome: Outcome): void {
      const service = serviceOf(outcome)
      switch (service) {
        case 'served':
          served(messageId, deviceNo)
          return
        case 'refused':
          refused(messageId, deviceNo, askedPauseMs(outcome))
          return
        case 'unreachable':
          unreachable()
          return
        case 'unknown':
          return
      }
    },
    /** A window that was let through has ended: its answers are judged. */
    leave(messageId: string): void {
      ofMessages.get(messageId)?.leave()
      lane.leave()
      if (hasNewRefusals) judge()
    },
    /** Lets everything through again: an operator has said so. */
    close(): void {
      lane.close()
      ofMessages.clear()
      answers.forgetAll()
    },
    /** What is held back now. */
    heldBack(): HeldBack[] {
      const all: [string | null, Breaker][] = [[null, lane], ...ofMessages]
      return all.flatMap(([messageId, breaker]) => {
        const standing = breaker.standing()
        return standing ? [{ messageId, ...standing }] : []
      })
    },
  }
}

export type LaneBreaker = ReturnType<typeof createLaneBreaker>
