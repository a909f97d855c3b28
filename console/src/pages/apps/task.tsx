import type { CredentialTask } from '@pushkeep/console-api'
import { Icon } from '../../ui/icon.tsx'
import { Time } from '../../ui/time.tsx'
import { explainReason } from '../../words/reasons.ts'

const places = { production: 'production', sandbox: 'sandbox', fcm: 'FCM' }

const outcomes = {
  works: { tone: 'good', words: 'The provider takes them.' },
  replaced: { tone: 'good', words: 'The provider takes the new ones: they are in use.' },
  refused: { tone: 'bad', words: 'The provider refuses them.' },
  unreachable: { tone: 'warn', words: 'The provider could not be reached: nothing is known.' },
} as const

/** What was asked of credentials, and what the provider said. */
export function TaskOutcome({ task }: { task: CredentialTask }) {
  if (task.outcome === null) {
    return (
      <p className="notice info" role="status">
        A worker is asking the provider…
      </p>
    )
  }
  const { tone, words } = outcomes[task.outcome]
  const isKept = task.kind === 'replace' && task.outcome !== 'replaced'
  return (
    <div className={`notice ${tone}`} role="status">
      <Icon name={tone === 'good' ? 'check' : tone === 'bad' ? 'fault' : 'warning'} />
      <div>
        <p className="notice-title">
          {words} {isKept && 'The old ones stay in use.'}
        </p>
        <ul className="findings">
          {task.findings.map(({ place, answer, reason }) => (
            <li key={place}>
              {places[place]}: {answer}
              {reason && (
                <>
                  , <code>{reason}</code>
                  <span className="muted"> {explanation(reason)}</span>
                </>
              )}
            </li>
          ))}
        </ul>
        <p className="muted">
          {task.kind === 'check' ? 'Checked' : 'Tried to replace'} by {task.asked_by},{' '}
          <Time at={task.finished_at ?? task.asked_at} />
        </p>
      </div>
    </div>
  )
}

/** A word of the provider's is explained; a sentence explains itself. */
function explanation(reason: string): string {
  return reason.includes(' ') ? '' : explainReason(reason).means
}
