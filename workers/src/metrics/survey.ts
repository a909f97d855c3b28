import { mergeMetrics, type PointerQueue } from '@pushkeep/queues'
import type { Metrics } from '@pushkeep/runtime'
import {
  openErasures,
  outboxLagSeconds,
  type Sql,
  surveyBacklog,
  surveyLanes,
  surveyUnbalanced,
} from '@pushkeep/store'
import { createSurveyGauges } from './survey-gauges.ts'

export interface SurveyOptions {
  sql: Sql
  queues: readonly PointerQueue[]
  metrics: Metrics
  /** One process surveys: the one whose reconciler leads. */
  isLeading: () => boolean
  /** How often it looks, in milliseconds. */
  intervalMs: number
  /** Most lanes that are told one by one. */
  lanesMax: number
  now: () => number
  onError: (error: unknown) => void
}

/** Longest wait for the queues, in milliseconds: their server may be away. */
const queuesTimeoutMs = 5000

/**
 * Looks at what all processes share (queues, outbox, chunks, lanes, books) from time to time, in one
 * process of all, and keeps it for `/metrics`: a scrape asks nobody, and many workers ask once. What
 * could not be learnt is not told.
 */
export function startSurvey(options: SurveyOptions) {
  const gauges = createSurveyGauges(options.metrics)
  let bull = ''
  options.metrics.add(() => bull)
  let isBusy = false
  let idle: Promise<void> = Promise.resolve()

  async function look() {
    if (!options.isLeading()) {
      forget()
      return
    }
    await Promise.all([lookAtDatabase(), lookAtQueues()])
  }

  function forget() {
    gauges.clear()
    bull = ''
  }

  async function lookAtDatabase() {
    const { sql, lanesMax, now } = options
    gauges.showOutbox(await outboxLagSeconds(sql))
    gauges.showBacklog(await surveyBacklog(sql))
    gauges.showLanes(await surveyLanes(sql, lanesMax))
    gauges.showUnbalanced(await surveyUnbalanced(sql))
    gauges.showErasures(await openErasures(sql))
    gauges.showTime(now())
  }

  async function lookAtQueues() {
    const states = await within(
      queuesTimeoutMs,
      Promise.all(
        options.queues.map(async (queue) => ({ name: queue.name, ...(await queue.state()) })),
      ),
    ).catch((error: unknown) => {
      options.onError(error)
      return null
    })
    gauges.showQueues(states, options.now())
    bull = states ? mergeMetrics(states.map(({ metrics }) => metrics)) : ''
  }

  async function tick() {
    isBusy = true
    try {
      await look()
    } catch (error) {
      // Old numbers would say that all is as it was.
      forget()
      options.onError(error)
    } finally {
      isBusy = false
    }
  }

  const timer = setInterval(() => {
    if (!isBusy) idle = tick()
  }, options.intervalMs)
  return {
    async stop() {
      clearInterval(timer)
      await idle
    },
  }
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the queues did not answer in time')), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
