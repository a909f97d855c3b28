import type { AnswerKind } from './outcome.ts'
import type { Lane, Provider } from './platform.ts'

/** How an app's provider stands. Times in ms since the epoch. */
export interface ProviderFacts {
  appNo: number
  provider: Provider
  paused: { at: number; reason: string } | null
  /** Set while the mass-bounce guard has tripped. */
  guard: { since: number; reason: string } | null
  isBreakerOpen: boolean
  /** Ids of messages whose pushes the provider refuses while it serves others. */
  heldMessages: readonly string[]
  /** When its credentials end, if somebody has said so. */
  expiresAt: number | null
  /** Calls of the last quarter of an hour by what their answers meant. */
  calls: Record<AnswerKind, number>
  /** Why it last did not serve. */
  trouble: string | null
}

/** What there is to know of whether pushes get out. */
export interface SystemFacts {
  now: number
  workers: { alive: number; missed: number }
  areQueuesReachable: boolean
  providers: readonly ProviderFacts[]
  /** By lane, how long what may be sent now has waited. */
  waiting: readonly { appNo: number; provider: Provider; lane: Lane; seconds: number }[]
  /** How long the oldest message has waited for its audience to be made out; null: none waits. */
  unplannedSeconds: number | null
  /** Apps that have no provider at all. */
  appsWithoutCredentials: readonly number[]
}

type OfLane = { appNo: number; provider: Provider }

/** Something that keeps pushes from phones (`fault`), or may soon (`warning`). */
export type SystemProblem = { severity: 'fault' | 'warning' } & (
  | { kind: 'workers_gone' }
  | { kind: 'worker_missed'; missed: number }
  | { kind: 'queue_unreachable' }
  | ({ kind: 'lane_paused'; since: number; reason: string } & OfLane)
  | ({ kind: 'mass_bounce_guard'; since: number; reason: string } & OfLane)
  | ({ kind: 'breaker_open'; trouble: string | null } & OfLane)
  | ({ kind: 'message_held'; messageId: string } & OfLane)
  | ({ kind: 'errors_high'; share: number; trouble: string | null } & OfLane)
  | ({ kind: 'bounces_high'; share: number } & OfLane)
  | ({ kind: 'backlog_old'; lane: Lane; seconds: number } & OfLane)
  | { kind: 'planning_late'; seconds: number }
  | ({ kind: 'credentials_expire'; expiresAt: number } & OfLane)
  | { kind: 'no_credentials'; appNo: number }
)

/** A login code that is a minute late is worth nothing; a broadcast may take its time. */
const oldSeconds: Record<Lane, number> = { transactional: 30, bulk: 900 }

/** Planning begins within a second; the reconciler makes sure after five. */
const planningLateSeconds = 30

/** Fewer calls than these prove nothing. */
const callsMin = 20
const errorShareMax = 0.1
const bounceShareMax = 0.2

const expiryWarningMs = 14 * 86_400_000

/** Everything that is wrong, faults first; empty: pushes get out. */
export function diagnose(facts: SystemFacts): SystemProblem[] {
  const problems = [
    ...ofProcesses(facts),
    ...facts.providers.flatMap((provider) => ofProvider(provider, facts.now)),
    ...ofBacklog(facts),
    ...facts.appsWithoutCredentials.map(
      (appNo) => ({ kind: 'no_credentials', severity: 'warning', appNo }) as const,
    ),
  ]
  return [
    ...problems.filter(({ severity }) => severity === 'fault'),
    ...problems.filter(({ severity }) => severity === 'warning'),
  ]
}

function ofProcesses({ workers, areQueuesReachable }: SystemFacts): SystemProblem[] {
  const problems: SystemProblem[] = []
  if (workers.alive === 0) problems.push({ kind: 'workers_gone', severity: 'fault' })
  else if (workers.missed > 0) {
    problems.push({ kind: 'worker_missed', severity: 'warning', missed: workers.missed })
  }
  if (!areQueuesReachable) problems.push({ kind: 'queue_unreachable', severity: 'fault' })
  return problems
}

function ofProvider(facts: ProviderFacts, now: number): SystemProblem[] {
  const { appNo, provider, paused, guard, isBreakerOpen, heldMessages, expiresAt, trouble } = facts
  const lane = { appNo, provider }
  const problems: SystemProblem[] = []
  if (paused) {
    const { at: since, reason } = paused
    problems.push({ kind: 'lane_paused', severity: 'fault', ...lane, since, reason })
  } else if (isBreakerOpen) {
    problems.push({ kind: 'breaker_open', severity: 'fault', ...lane, trouble })
  } else problems.push(...ofAnswers(facts))
  if (guard) problems.push({ kind: 'mass_bounce_guard', severity: 'fault', ...lane, ...guard })
  for (const messageId of heldMessages) {
    problems.push({ kind: 'message_held', severity: 'warning', ...lane, messageId })
  }
  if (expiresAt !== null && expiresAt - now < expiryWarningMs) {
    const severity = expiresAt <= now ? 'fault' : 'warning'
    problems.push({ kind: 'credentials_expire', severity, ...lane, expiresAt })
  }
  return problems
}

/** Shares of errors and bounces: where the lane is stopped, that is the problem, not these. */
function ofAnswers({ appNo, provider, calls, trouble }: ProviderFacts): SystemProblem[] {
  const all = Object.values(calls).reduce((sum, count) => sum + count, 0)
  if (all < callsMin) return []
  const problems: SystemProblem[] = []
  const errors = (calls.misconfigured + calls.ambiguous + calls.throttled + calls.unavailable) / all
  if (errors > errorShareMax) {
    problems.push({
      kind: 'errors_high',
      severity: 'warning',
      appNo,
      provider,
      share: errors,
      trouble,
    })
  }
  const bounces = calls['token-dead'] / all
  if (bounces > bounceShareMax) {
    problems.push({ kind: 'bounces_high', severity: 'warning', appNo, provider, share: bounces })
  }
  return problems
}

/** What waits too long, unless its lane is paused: then it is meant to wait. */
function ofBacklog({ waiting, providers, unplannedSeconds }: SystemFacts): SystemProblem[] {
  const isPaused = (lane: OfLane) =>
    providers.some((p) => p.appNo === lane.appNo && p.provider === lane.provider && p.paused)
  const old = waiting
    .filter((lane) => lane.seconds > oldSeconds[lane.lane] && !isPaused(lane))
    .map(({ appNo, provider, lane, seconds }): SystemProblem => {
      const severity = lane === 'transactional' ? 'fault' : 'warning'
      return { kind: 'backlog_old', severity, appNo, provider, lane, seconds }
    })
  if (unplannedSeconds === null || unplannedSeconds <= planningLateSeconds) return old
  return [...old, { kind: 'planning_late', severity: 'fault', seconds: unplannedSeconds }]
}
