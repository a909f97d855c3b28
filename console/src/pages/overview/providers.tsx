import type { ProviderHealth } from '@pushkeep/console-api'
import { Badge } from '../../ui/badge.tsx'
import { compact, milliseconds } from '../../ui/format.ts'
import { Stack } from '../../ui/stack.tsx'
import { Empty } from '../../ui/states.tsx'
import { providerName } from '../../words/problems.ts'
import type { HeadlineProps } from './headline.tsx'

/** How Apple and Google answer, by app. */
export function Providers({ overview, nameOf }: HeadlineProps) {
  const { providers } = overview
  return (
    <section className="card" aria-labelledby="providers">
      <h2 id="providers">
        Providers <span className="muted">last 15 minutes</span>
      </h2>
      {providers.length === 0 ? (
        <Empty title="No app has credentials">
          <p>Add what Apple or Google issued, on the Apps page.</p>
        </Empty>
      ) : (
        <ul className="lanes">
          {providers.map((health) => (
            <li key={`${health.app_id} ${health.provider}`} className="lane">
              <p className="lane-head">
                <strong>{nameOf(health.app_id)}</strong> {providerName(health.provider)}
                <ProviderBadge health={health} />
              </p>
              <Stack label="Answers" parts={answerParts(health)} />
              <p className="lane-foot muted">
                <span>{answersInWords(health)}</span>
                <span>
                  {health.latency_ms
                    ? `median ${milliseconds(health.latency_ms.p50)}, 99 % within ${milliseconds(health.latency_ms.p99)}`
                    : 'no calls'}
                </span>
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Whether a lane sends. */
export function ProviderBadge({ health }: { health: ProviderHealth }) {
  if (health.paused) return <Badge tone="bad">paused</Badge>
  if (health.breaker) return <Badge tone="bad">does not serve</Badge>
  if (!health.latency_ms) return <Badge tone="none">idle</Badge>
  return <Badge tone="good">serving</Badge>
}

function answerParts({ calls }: ProviderHealth) {
  return [
    { label: 'accepted', series: 'sent', value: calls.accepted },
    { label: 'dead tokens', series: 'bounced', value: calls.token_dead },
    { label: 'refused messages', series: 'expired', value: calls.message_refused },
    {
      label: 'errors',
      series: 'failed',
      value: calls.misconfigured + calls.ambiguous + calls.throttled + calls.unavailable,
    },
  ]
}

function answersInWords({ calls }: ProviderHealth): string {
  const parts: [number, string][] = [
    [calls.accepted, 'accepted'],
    [calls.token_dead, 'dead tokens'],
    [calls.message_refused, 'refused'],
    [calls.misconfigured, 'misconfigured'],
    [calls.ambiguous, 'ambiguous'],
    [calls.throttled, 'throttled'],
    [calls.unavailable, 'unavailable'],
  ]
  const said = parts.filter(([value]) => value > 0)
  return said.map(([value, label]) => `${compact(value)} ${label}`).join(', ') || 'nothing was sent'
}
