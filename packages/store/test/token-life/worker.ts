import {
  type DeviceEvent,
  decide,
  deviceEffect,
  isWithheldByDeviceState,
  type Outcome,
} from '@pushkeep/domain'
import type { Recording } from '../../src/index.ts'
import type { GivenAnswer } from './commands.ts'
import type { Answer } from './life.ts'
import type { Claimed } from './world.ts'

/** An answer with its times in ms. */
export interface Said {
  says: GivenAnswer['says']
  since: number | null
  /** When it was observed. */
  at: number
}

function outcomeOf({ says, since }: Said): Outcome {
  switch (says) {
    case 'accepted':
      return { kind: 'accepted', environment: null }
    case 'dead':
      return { kind: 'token-dead', reason: 'Unregistered', since }
    case 'ambiguous':
      return { kind: 'ambiguous', reason: 'DeviceTokenNotForTopic' }
    case 'refused':
      return { kind: 'message-refused', reason: 'PayloadTooLarge' }
    case 'busy':
      return { kind: 'unavailable', reason: 'Busy', afterMs: null, mayHaveArrived: false }
  }
}

/**
 * What a worker makes of an answer, by the domain's rules and as `workers/src/delivery/judge.ts`
 * does: whoever is withheld, or was perhaps sent to and must not be again, is not sent to at all.
 */
export function judge(
  claim: Claimed,
  said: Said,
  onUnknown: 'retry' | 'give_up',
): { answer: Answer; recording: Recording } {
  const { recipient } = claim
  if (recipient.withheld !== null) {
    const reason = recipient.withheld
    const kind = isWithheldByDeviceState(reason) ? 'withheld' : 'untouched'
    const recording = recordingOf(claim, said.at, 'suppressed', reason, { kind })
    return { answer: { kind: 'withheld', reason }, recording }
  }
  if (recipient.mayHaveBeenSent && onUnknown === 'give_up') {
    const recording = recordingOf(claim, said.at, 'failed', 'unknown', { kind: 'untouched' })
    return { answer: { kind: 'given up' }, recording }
  }
  const { says, since } = said
  const answer: Answer = says === 'dead' ? { kind: says, since } : { kind: says }
  return { answer, recording: recordingOfAnswer(claim, said, onUnknown) }
}

function recordingOfAnswer(claim: Claimed, said: Said, onUnknown: 'retry' | 'give_up'): Recording {
  const { recipient, chunk } = claim
  const attempt = {
    attempt: recipient.attempts + 1,
    now: said.at,
    expiresAt: chunk.message.expiresAt,
    registeredAt: recipient.registeredAt,
    onUnknown,
  }
  const verdict = decide(outcomeOf(said), attempt, () => 0)
  if (verdict.kind !== 'settle') {
    // Due from now on, whenever it was observed.
    return recordingOf(claim, Date.now(), 'pending', verdict.reason, { kind: 'untouched' })
  }
  const { device } = verdict
  const event: DeviceEvent =
    device === 'doubted' ? { kind: device, failures: recipient.failures } : { kind: device }
  return recordingOf(claim, said.at, verdict.status, verdict.reason, event)
}

function recordingOf(
  { chunk, recipient }: Claimed,
  at: number,
  status: Recording['status'],
  reason: string | null,
  event: DeviceEvent,
): Recording {
  return {
    chunkNo: chunk.chunkNo,
    messageNo: chunk.messageNo,
    appNo: chunk.appNo,
    provider: chunk.provider,
    deviceNo: recipient.deviceNo,
    personNo: recipient.personNo,
    status,
    reason,
    attempts: recipient.attempts + 1,
    at,
    effect: deviceEffect(event),
    epoch: recipient.epoch,
    environment: null,
  }
}
