import {
  type Attempt,
  type DeviceEvent,
  decide,
  deviceEffect,
  isAboutOtherTopic,
  isAboutOwnHeaders,
  isWithheldByDeviceState,
  type Json,
  type Outcome,
  type Verdict,
} from '@pushkeep/domain'
import type { LeasedChunk, Recipient, Recording } from '@pushkeep/store'

/** What a recipient gets before any provider is asked. */
export type Admission = { kind: 'send'; token: string } | { kind: 'settle'; recording: Recording }

/** A recording's fields that say whom it is about. */
function about(chunk: LeasedChunk, recipient: Recipient) {
  return {
    chunkNo: chunk.chunkNo,
    messageNo: chunk.messageNo,
    appNo: chunk.appNo,
    provider: chunk.provider,
    deviceNo: recipient.deviceNo,
    personNo: recipient.personNo,
    epoch: recipient.epoch,
  }
}

const untouched = deviceEffect({ kind: 'untouched' })

/** Decides at the moment of sending whether there is anything to send. Times in ms. */
export function admit(chunk: LeasedChunk, recipient: Recipient, now: number): Admission {
  const { message } = chunk
  const attempts = recipient.attempts
  const settle = (
    status: Recording['status'],
    reason: string | null,
    effect: Recording['effect'],
  ): Admission => ({
    kind: 'settle',
    recording: {
      ...about(chunk, recipient),
      status,
      reason,
      attempts,
      at: now,
      effect,
      environment: null,
    },
  })
  const { token } = recipient
  if (recipient.withheld !== null || token === null) {
    const reason = recipient.withheld ?? 'deleted'
    const kind = isWithheldByDeviceState(reason) ? 'withheld' : 'untouched'
    return settle('suppressed', reason, deviceEffect({ kind }))
  }
  if (recipient.mayHaveBeenSent && message.onUnknown === 'give_up') {
    return settle('failed', 'unknown', untouched)
  }
  if (now >= message.expiresAt) return settle('expired', null, untouched)
  if (chunk.credentialsVersion === null) return settle('failed', 'no_credentials', untouched)
  return { kind: 'send', token }
}

/** A delivery that fails without a provider being asked; its device stays as it is. */
export function failed(
  chunk: LeasedChunk,
  recipient: Recipient,
  reason: string,
  now: number,
): Recording {
  const { attempts } = recipient
  return {
    ...about(chunk, recipient),
    ...{ status: 'failed', reason, attempts, at: now, effect: untouched, environment: null },
  }
}

/** What an outcome means for one delivery: the verdict, and what is written down. */
export function judge(
  chunk: LeasedChunk,
  recipient: Recipient,
  outcome: Outcome,
  now: number,
  random: () => number,
): { verdict: Verdict; recording: Recording } {
  const attempt: Attempt = {
    attempt: recipient.attempts + 1,
    now,
    expiresAt: chunk.message.expiresAt,
    registeredAt: recipient.registeredAt,
    onUnknown: chunk.message.onUnknown,
  }
  const verdict = decide(meantBy(outcome, chunk), attempt, random)
  const base = { ...about(chunk, recipient), attempts: attempt.attempt, environment: null }
  if (verdict.kind === 'settle') {
    const environment = outcome.kind === 'accepted' ? outcome.environment : null
    const effect = deviceEffect(eventOf(verdict.device, recipient.failures))
    const { status, reason } = verdict
    return { verdict, recording: { ...base, status, reason, at: now, effect, environment } }
  }
  // A credential's fault, a throttled credential and waiting in vain are not the delivery's tries.
  const attempts = countsAsAttempt(outcome) ? attempt.attempt : recipient.attempts
  const at = now + verdict.afterMs
  const { reason } = verdict
  return {
    verdict,
    recording: { ...base, status: 'pending', reason, attempts, at, effect: untouched },
  }
}

/** What the caller put into the message's own headers is the message's fault, whatever the provider calls it. */
function meantBy(outcome: Outcome, chunk: LeasedChunk): Outcome {
  const headers = ownHeaders(chunk)
  switch (outcome.kind) {
    case 'ambiguous':
      return isAboutOwnHeaders(outcome.reason, headers) ? refused(outcome.reason) : outcome
    case 'token-dead':
      return isAboutOtherTopic(outcome.reason, headers) ? refused(outcome.reason) : outcome
    case 'accepted':
    case 'message-refused':
    case 'misconfigured':
    case 'throttled':
    case 'unavailable':
    case 'unsent':
      return outcome
  }
}

function refused(reason: string): Outcome {
  return { kind: 'message-refused', reason }
}

/** APNs' headers as the caller set them, for the provider that the chunk goes through. */
function ownHeaders({ provider, message }: LeasedChunk) {
  const { apns, fcm } = message.content
  if (provider === 'apns') return apns?.headers
  const passedOn = fcm?.apns?.headers
  return isObject(passedOn) ? passedOn : undefined
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function countsAsAttempt(outcome: Outcome): boolean {
  return (
    outcome.kind !== 'misconfigured' && outcome.kind !== 'throttled' && outcome.kind !== 'unsent'
  )
}

function eventOf(
  device: Extract<Verdict, { kind: 'settle' }>['device'],
  failures: number,
): DeviceEvent {
  return device === 'doubted' ? { kind: device, failures } : { kind: device }
}
