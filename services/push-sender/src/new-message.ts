import {
  type FieldProblem,
  type Lane,
  type NewMessage,
  scheduleDaysMax,
  tokenProblem,
  transactionalAudienceMax,
} from '@pushkeep/domain'

/** Which lane a message takes: a short list must not wait behind a broadcast. */
export function laneOf(to: NewMessage['to']): Lane {
  if (to.all) return 'bulk'
  const listed = to.person_ids?.length ?? to.tokens?.length ?? 1
  return listed <= transactionalAudienceMax ? 'transactional' : 'bulk'
}

/** Names in a list from which on sending to it is written down in the audit log, as sending to everyone is. */
const broadcastNames = 1000

export function isBroadcast(to: NewMessage['to']): boolean {
  return to.all === true || (to.person_ids?.length ?? to.tokens?.length ?? 1) >= broadcastNames
}

/** What the schema cannot say of an audience: each token that no provider could have issued. */
export function audienceProblems(to: NewMessage['to']): FieldProblem[] {
  const single = to.token === undefined ? [] : [{ path: 'to.token', token: to.token }]
  const listed = (to.tokens ?? []).map((token, index) => ({ path: `to.tokens.${index}`, token }))
  return [...single, ...listed]
    .filter(({ token }) => tokenProblem('ios', token) && tokenProblem('android', token))
    .map(({ path }) => ({ path, message: 'must be an APNs or FCM device token' }))
}

/** What is wrong with the time that a message is scheduled for; empty where nothing is. `now` in ms. */
export function scheduleProblems({ send_at }: NewMessage, now: number): FieldProblem[] {
  if (send_at === undefined || send_at <= now + scheduleDaysMax * 86_400_000) return []
  return [{ path: 'send_at', message: `must be at most ${scheduleDaysMax} days ahead` }]
}

/** Whether a message is for now: not scheduled, or for a time that has passed. `now` in ms. */
export function isDue({ send_at }: NewMessage, now: number): boolean {
  return send_at === undefined || send_at <= now
}
