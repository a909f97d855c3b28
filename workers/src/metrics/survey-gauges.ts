import { lanes, providers } from '@pushkeep/domain'
import type { QueueState } from '@pushkeep/queues'
import type { Metrics } from '@pushkeep/runtime'
import type { LaneState, LaneTotals, OpenErasures } from '@pushkeep/store'
import { Gauge } from 'prom-client'

const chunkStates = ['ready', 'leased', 'waiting', 'paused'] as const

/** The gauges of what all processes share. Empty until something is shown, and once cleared. */
export function createSurveyGauges({ registry }: Metrics) {
  const clears: (() => void)[] = []

  function gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    const made = new Gauge({ name, help, labelNames, registers: [registry] })
    // `reset` would set one without labels to 0, which says something.
    const clear = () => (labelNames.length === 0 ? made.remove() : made.reset())
    clear()
    clears.push(clear)
    return made
  }

  const surveyedAt = gauge(
    'pushkeep_survey_timestamp_seconds',
    'When the leading worker last looked at what all processes share',
  )
  const outboxLag = gauge(
    'pushkeep_outbox_lag_seconds',
    'Age of the oldest doorbell that is due and was not rung',
  )
  const queuesUp = gauge('pushkeep_queues_up', '1 where the queues can be reached, 0 where not')
  const oldestJob = gauge(
    'pushkeep_queue_oldest_job_age_seconds',
    'Age of the oldest waiting job; 0 where none waits',
    ['queue'],
  )
  const chunks = gauge('pushkeep_open_chunks', 'Chunks that are not done, by where they stand', [
    'provider',
    'lane',
    'state',
  ])
  const backlog = gauge(
    'pushkeep_backlog_deliveries',
    'Deliveries that are planned and not settled',
    ['provider', 'lane'],
  )
  const lanePaused = gauge(
    'pushkeep_lane_paused',
    "1 while an app's lane is stopped for its credentials",
    ['app', 'app_name', 'provider', 'cause'],
  )
  const guard = gauge(
    'pushkeep_mass_bounce_guard',
    '1 while the mass-bounce guard has tripped: no token of the app is retired',
    ['app', 'app_name', 'provider'],
  )
  const credentialsAt = gauge(
    'pushkeep_credentials_stored_timestamp_seconds',
    'When the credentials in use were stored',
    ['app', 'app_name', 'provider'],
  )
  const credentialsEnd = gauge(
    'pushkeep_credentials_expire_timestamp_seconds',
    'When the credentials in use end, where somebody has set a date',
    ['app', 'app_name', 'provider'],
  )
  const unbalanced = gauge(
    'pushkeep_unbalanced_messages',
    'Messages found within a day whose counts are not those of their deliveries; always 0',
  )

  const erasures = gauge(
    'pushkeep_open_erasures',
    'Erased people whose names are still looked for in messages',
  )
  const oldestErasure = gauge(
    'pushkeep_oldest_erasure_age_seconds',
    'Since when the oldest of them is open; 0 where none is',
  )

  return {
    clear: () => {
      for (const clear of clears) clear()
    },
    showTime: (now: number) => surveyedAt.set(now / 1000),
    showOutbox: (lagSeconds: number) => outboxLag.set(lagSeconds),
    /** null: they cannot be reached. */
    showQueues(states: readonly (QueueState & { name: string })[] | null, now: number) {
      queuesUp.set(states ? 1 : 0)
      oldestJob.reset()
      for (const { name, oldestAt } of states ?? []) {
        oldestJob.set({ queue: name }, oldestAt === null ? 0 : Math.max(0, now - oldestAt) / 1000)
      }
    },
    showBacklog(found: readonly LaneTotals[]) {
      for (const provider of providers) {
        for (const lane of lanes) {
          const one = found.find((row) => row.provider === provider && row.lane === lane)
          for (const state of chunkStates) chunks.set({ provider, lane, state }, one?.[state] ?? 0)
          backlog.set({ provider, lane }, one?.deliveries ?? 0)
        }
      }
    },
    showLanes(found: readonly LaneState[]) {
      lanePaused.reset()
      guard.reset()
      credentialsAt.reset()
      credentialsEnd.reset()
      for (const lane of found) {
        const labels = { app: lane.appId, app_name: lane.appName, provider: lane.provider }
        credentialsAt.set(labels, lane.credentialsAt / 1000)
        if (lane.credentialsEndAt !== null) {
          credentialsEnd.set(labels, lane.credentialsEndAt / 1000)
        }
        lanePaused.set({ ...labels, cause: 'credentials' }, Number(lane.isPaused))
        guard.set(labels, Number(lane.isGuarded))
      }
    },
    showUnbalanced: (count: number) => unbalanced.set(count),
    showErasures({ count, oldestSeconds }: OpenErasures) {
      erasures.set(count)
      oldestErasure.set(oldestSeconds ?? 0)
    },
  }
}
