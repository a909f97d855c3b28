import {
  countAccepted,
  countDevices,
  type Database,
  dropExpiredSessions,
  dropOldActivity,
  dropOldTasks,
  inTransaction,
  lastDeviceCount,
  removeFullBuckets,
  tryUpkeep,
} from '@pushkeep/store'

export interface UpkeepOptions {
  database: Database
  onError: (error: unknown) => void
}

/** How often the present minute is counted anew, in ms. */
const roundMs = 10_000

/** Minutes that are counted anew: in most rounds, and when one has ended (planning takes a while). */
const minutesUsually = 1
const minutesSometimes = 5

/** Devices are counted this often, or as seldom as keeps it to a share of the time. */
const devicesEverySeconds = 15
const devicesShareMax = 0.002

/**
 * Keeps the sums of the console that nobody else keeps, and forgets what is old. Of several
 * processes one does, round by round.
 */
export function startUpkeep({ database, onError }: UpkeepOptions) {
  let isBusy = false
  let idle: Promise<void> = Promise.resolve()
  let minute = 0

  async function round(): Promise<void> {
    const now = Math.floor(Date.now() / 60_000)
    const isNewMinute = now !== minute
    minute = now
    const isOurs = await inTransaction(database, async (sql) => {
      if (!(await tryUpkeep(sql))) return false
      await countAccepted(sql, isNewMinute ? minutesSometimes : minutesUsually)
      if (isNewMinute) {
        await dropExpiredSessions(sql)
        await dropOldActivity(sql)
        await dropOldTasks(sql)
        await removeFullBuckets(sql)
      }
      return true
    })
    if (isOurs && (await areDevicesDue(database))) await countDevices(database)
  }

  async function tick(): Promise<void> {
    isBusy = true
    try {
      await round()
    } catch (error) {
      onError(error)
    } finally {
      isBusy = false
    }
  }

  const start = () => {
    if (!isBusy) idle = tick()
  }
  const timer = setInterval(start, roundMs)
  start()
  return {
    async stop() {
      clearInterval(timer)
      await idle
    },
  }
}

async function areDevicesDue(database: Database): Promise<boolean> {
  const last = await lastDeviceCount(database)
  if (!last) return true
  const restSeconds = Math.max(devicesEverySeconds, last.tookMs / 1000 / devicesShareMax)
  return last.ageSeconds >= restSeconds
}
