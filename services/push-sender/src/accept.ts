import type { NewMessage } from '@pushkeep/domain'
import { inspectTemplates } from '@pushkeep/providers'
import { activeTraceparent, actorOf, type Caller, invalid, ProblemError } from '@pushkeep/runtime'
import {
  type Acceptance,
  type AcceptedMessage,
  type Bell,
  type Sql,
  scheduledRoom,
} from '@pushkeep/store'
import { bodyHash } from './idempotency.ts'
import { audienceProblems, isBroadcast, isDue, laneOf, scheduleProblems } from './new-message.ts'
import { payloadRefusal } from './payload.ts'
import { targetApp } from './target-app.ts'

/** Stores a message and says so to the relays. */
export type Accept = (accepted: AcceptedMessage) => Promise<Acceptance>

/** Rings once a message is stored. */
export function acceptAndRing(accept: Accept, bell: Pick<Bell, 'ring'>): Accept {
  return async (accepted) => {
    const acceptance = await accept(accepted)
    if (acceptance.kind === 'accepted') bell.ring()
    return acceptance
  }
}

const noTemplates = { flaws: [], personKeys: null }

/**
 * A message as it can be accepted, whichever API it came by; `key` is its idempotency key. Throws a
 * problem where it cannot be sent as it is. Stores nothing.
 */
export async function acceptable(
  sql: Sql,
  caller: Caller,
  message: NewMessage,
  key: string | null,
): Promise<AcceptedMessage> {
  const now = Date.now()
  const problems = [...audienceProblems(message.to), ...scheduleProblems(message, now)]
  if (problems.length > 0) throw invalid(problems.slice(0, 20))
  const { workspaceNo } = caller
  const { flaws, personKeys } = message.templating ? inspectTemplates(message) : noTemplates
  if (flaws.length > 0) throw invalid(flaws.slice(0, 20))
  const appNo = await targetApp(sql, caller, message.app_id)
  const refusal = await payloadRefusal(sql, message, { workspaceNo, appNo })
  if (refusal) throw refusal
  if (!isDue(message, now)) await admitScheduled(sql, workspaceNo, key)
  const lane = laneOf(message.to)
  return {
    workspaceNo,
    appNo,
    message,
    lane,
    actor: isBroadcast(message.to) ? actorOf(caller) : null,
    traceparent: activeTraceparent(),
    personKeys,
    planNow: lane === 'transactional' && isDue(message, now),
    // The app that it means, not whether it was named: a key may imply it.
    idempotency: key === null ? null : { key, bodyHash: bodyHash({ ...message, app_id: appNo }) },
  }
}

/** Refuses one more scheduled message than a workspace may have. */
async function admitScheduled(sql: Sql, workspaceNo: number, key: string | null): Promise<void> {
  const { most, isFull } = await scheduledRoom(sql, { workspaceNo, key })
  if (!isFull) return
  const message = `must be left out: ${most} messages wait for their time, as many as may wait`
  throw new ProblemError(422, 'too_many_scheduled', {
    detail: `send_at ${message}`,
    errors: [{ path: 'send_at', message }],
  })
}
