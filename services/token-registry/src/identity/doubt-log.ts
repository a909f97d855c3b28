import type { IdentityDoubt } from '@pushkeep/domain'
import type { Logger } from '@pushkeep/runtime'

/** Tells of a call that would be refused where identity tokens are required. */
export type NoteDoubt = (appId: string, doubt: IdentityDoubt) => void

const intervalMs = 60_000

interface Tally {
  count: number
  loggedAt: number
}

/** Logs the first of a kind at once, and from then on one line a minute with their number. */
export function createDoubtLog(
  logger: Logger,
  now: () => number = () => performance.now(),
): NoteDoubt {
  // A few kinds an app: bounded by the apps.
  const tallies = new Map<string, Tally>()
  return (appId, doubt) => {
    const key = `${appId} ${doubt}`
    const tally = tallies.get(key) ?? { count: 0, loggedAt: Number.NEGATIVE_INFINITY }
    tally.count += 1
    tallies.set(key, tally)
    if (now() - tally.loggedAt < intervalMs) return
    logger.warn({ app_id: appId, doubt, calls: tally.count }, 'calls without a good identity token')
    tally.count = 0
    tally.loggedAt = now()
  }
}
