import { type LaneResumed, resumedWords } from '@pushkeep/domain'

/** How long a call waits for the workers to try deliveries, in milliseconds. */
export const trialWaitMs = 10_000

/** The answer to asking a lane to go on, for the API and the console. */
export function resumedBody(resumed: LaneResumed) {
  const tried = resumed.kind === 'trying' ? [] : resumed.tried
  return {
    resumed: resumed.kind === 'open',
    said: resumedWords(resumed),
    tried: tried.map(({ messageId, deviceNo, accepted, reason }) => ({
      message_id: messageId,
      device: deviceNo,
      accepted,
      reason,
    })),
    restored: resumed.kind === 'open' ? resumed.restored : 0,
  }
}
