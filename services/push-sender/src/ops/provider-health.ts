import type { ProviderHealth as HealthBody } from '@pushkeep/console-api'
import {
  type AnswerKind,
  latencyPercentile,
  noAnswers,
  type Provider,
  type ProviderFacts,
} from '@pushkeep/domain'
import {
  type OpenBreaker,
  type ProviderHealth,
  type ProviderState,
  providerHealth,
  providersOfAll,
  type Sql,
  type Workers,
} from '@pushkeep/store'
import { longestOpen, messagesHeld } from '../open-breakers.ts'

/** How far back answers of providers are looked at, in ms. */
const healthMs = 15 * 60_000

/** An app's provider with all that is known of how it stands. */
export interface ProviderStanding {
  appNo: number
  provider: Provider
  state: ProviderState
  /** The breaker of the worker that waits longest. */
  breaker: OpenBreaker | null
  /** Messages that a worker holds back alone, since the provider refuses their pushes. */
  heldMessages: string[]
  calls: Record<AnswerKind, number>
  latency: number[]
  trouble: string | null
}

/** How the providers of these apps stand. `now` in ms. */
export async function readStandings(
  sql: Sql,
  appNos: readonly number[],
  workers: Workers,
  now: number,
): Promise<ProviderStanding[]> {
  const [states, health] = await Promise.all([
    providersOfAll(sql, appNos),
    providerHealth(sql, { appNos, from: new Date(now - healthMs) }),
  ])
  return states.map(({ appNo, ...state }) => {
    const isSame = (other: { appNo: number; provider: Provider }) =>
      other.appNo === appNo && other.provider === state.provider
    const answers: Partial<ProviderHealth> = health.find(isSame) ?? {}
    const { calls = noAnswers(), latency = [], trouble = null } = answers
    const breakers = workers.breakers.filter(isSame)
    return {
      appNo,
      provider: state.provider,
      state,
      breaker: longestOpen(breakers),
      heldMessages: messagesHeld(breakers),
      calls,
      latency,
      trouble,
    }
  })
}

/** What the diagnosis needs to know of it. */
export function factsOf(standing: ProviderStanding): ProviderFacts {
  const { appNo, provider, state, breaker, heldMessages, calls, trouble } = standing
  return {
    appNo,
    provider,
    paused: state.pausedAt && {
      at: state.pausedAt.getTime(),
      reason: state.pauseReason ?? '',
    },
    guard: state.guard,
    isBreakerOpen: breaker !== null,
    heldMessages,
    expiresAt: state.expiresAt?.getTime() ?? null,
    calls,
    trouble,
  }
}

/** As the console is told. */
export function healthBody(standing: ProviderStanding, appId: string): HealthBody {
  const { state, breaker, calls, latency } = standing
  const percentile = (share: number) => Math.round(latencyPercentile(latency, share) ?? 0)
  return {
    app_id: appId,
    provider: standing.provider,
    paused: state.pausedAt && {
      at: state.pausedAt.toISOString(),
      reason: state.pauseReason ?? '',
      cause: state.pauseCause && {
        message_id: state.pauseCause.messageId,
        person_id: state.pauseCause.personId,
        device: state.pauseCause.deviceNo,
        agreed: state.pauseCause.agreed,
      },
    },
    guard: state.guard && {
      since: new Date(state.guard.since).toISOString(),
      reason: state.guard.reason,
    },
    breaker: breaker && {
      until: new Date(breaker.openUntil).toISOString(),
      refusals: breaker.refusals,
    },
    expires_at: state.expiresAt?.toISOString() ?? null,
    calls: {
      accepted: calls.accepted,
      token_dead: calls['token-dead'],
      message_refused: calls['message-refused'],
      misconfigured: calls.misconfigured,
      ambiguous: calls.ambiguous,
      throttled: calls.throttled,
      unavailable: calls.unavailable,
    },
    latency_ms: latency.some((count) => count > 0)
      ? { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) }
      : null,
    trouble: standing.trouble,
  }
}
