import type { Outcome } from '@pushkeep/domain'
import {
  boundedLabel,
  type CounterSeries,
  FastCounter,
  FastHistogram,
  type HistogramSeries,
  type Metrics,
} from '@pushkeep/runtime'
import type { LeasedChunk } from '@pushkeep/store'
import type { Senders } from '../delivery/senders.ts'
import type { AppNames } from './app-labels.ts'

/** Kinds of outcomes as metrics tell them apart: `unknown` is the one without an answer (R5). */
type OutcomeLabel = Outcome['kind'] | 'unknown'

const callSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15]
const waitSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800]

// Far above what the tables of both providers know: reasons that nobody documented end here.
const reasonsMax = 150

interface Answers {
  latency: HistogramSeries
  byReason: Map<string, CounterSeries>
}

/** Measures the pushes of one app's lane. Series are found once and kept. */
class LaneMeter {
  readonly #answers = new Map<OutcomeLabel, Answers>()
  readonly #open: (outcome: OutcomeLabel) => Answers
  readonly #count: (outcome: OutcomeLabel, reason: string) => CounterSeries
  readonly fromAcceptance: HistogramSeries

  constructor(
    open: (outcome: OutcomeLabel) => Answers,
    count: (outcome: OutcomeLabel, reason: string) => CounterSeries,
    fromAcceptance: HistogramSeries,
  ) {
    this.#open = open
    this.#count = count
    this.fromAcceptance = fromAcceptance
  }

  answered(outcome: Outcome, seconds: number): void {
    const label = labelOf(outcome)
    let answers = this.#answers.get(label)
    if (!answers) {
      answers = this.#open(label)
      this.#answers.set(label, answers)
    }
    const reason = outcome.kind === 'accepted' ? '' : outcome.reason
    let counter = answers.byReason.get(reason)
    if (!counter) {
      counter = this.#count(label, reason)
      // Bounded like the label itself: an unheard-of reason is looked up anew each time.
      if (answers.byReason.size < reasonsMax) answers.byReason.set(reason, counter)
    }
    counter.count += 1
    answers.latency.observe(seconds)
  }
}

function labelOf(outcome: Outcome): OutcomeLabel {
  return outcome.kind === 'unavailable' && outcome.mayHaveArrived ? 'unknown' : outcome.kind
}

/** Milliseconds since the epoch at which a message was accepted: the upper bits of its number. */
function acceptedAt(messageNo: string): number {
  return Number(BigInt(messageNo) >> 20n)
}

/**
 * Measures each push of these senders: what the provider answered, how long it took, and how long
 * after the acceptance of its message. Wrapped around them, so that delivering knows nothing of it;
 * a push costs two looks at the clock and a few additions.
 */
export function measurePushes(metrics: Metrics, apps: AppNames, senders: Senders): Senders {
  const pushes = new FastCounter(metrics, {
    name: 'pushkeep_pushes_total',
    help: 'Pushes that were handed to a provider, by what came of it; reason as the provider names it',
    labelNames: ['app', 'app_name', 'provider', 'lane', 'outcome', 'reason'],
  })
  const latency = new FastHistogram(metrics, {
    name: 'pushkeep_push_duration_seconds',
    help: 'Time from handing a push to the sessions of its provider to its outcome',
    labelNames: ['app', 'app_name', 'provider', 'lane', 'outcome'],
    buckets: callSeconds,
  })
  const fromAcceptance = new FastHistogram(metrics, {
    name: 'pushkeep_acceptance_to_outcome_seconds',
    help: "Time from the acceptance of a message to the outcome of a delivery's first try",
    labelNames: ['app', 'app_name', 'provider', 'lane'],
    buckets: waitSeconds,
  })
  const boundedReason = boundedLabel(reasonsMax)
  const lanes = new Map<string, LaneMeter>()

  async function laneOf({ appNo, provider, lane }: LeasedChunk): Promise<LaneMeter> {
    const app = await apps.find(appNo)
    const key = `${app.app} ${provider} ${lane}`
    const known = lanes.get(key)
    if (known) return known
    const labels = { ...app, provider, lane }
    const meter = new LaneMeter(
      (outcome) => ({ latency: latency.series({ ...labels, outcome }), byReason: new Map() }),
      (outcome, reason) => pushes.series({ ...labels, outcome, reason: boundedReason(reason) }),
      fromAcceptance.series(labels),
    )
    lanes.set(key, meter)
    return meter
  }

  return {
    ...senders,
    async open(chunk, clock) {
      const [sender, lane] = await Promise.all([senders.open(chunk, clock), laneOf(chunk)])
      const accepted = acceptedAt(chunk.messageNo)
      return {
        ...sender,
        send(push, done) {
          const began = performance.now()
          sender.send(push, (outcome) => {
            lane.answered(outcome, (performance.now() - began) / 1000)
            if (!chunk.isRetry) lane.fromAcceptance.observe((clock() - accepted) / 1000)
            done(outcome)
          })
        },
      }
    },
  }
}
