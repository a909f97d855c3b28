import type { App, AppProvider } from '@pushkeep/console-api'
import { useState } from 'react'
import { Link } from 'wouter'
import { call } from '../../api/client.ts'
import { useApps, useChange } from '../../api/queries.ts'
import { useMay, useSignedIn } from '../../session.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Id } from '../../ui/copy.tsx'
import { day, relative } from '../../ui/format.ts'
import { Empty, ErrorNotice, Loaded } from '../../ui/states.tsx'
import { Time, useNow } from '../../ui/time.tsx'
import { providerName } from '../../words/problems.ts'
import { explainReason } from '../../words/reasons.ts'
import { ProviderBadge } from '../overview/providers.tsx'
import { BounceButtons } from './bounces.tsx'
import { CredentialDialog } from './credentials.tsx'
import { NewAppButton } from './new-app.tsx'
import { ResumeButton } from './resume.tsx'
import { TaskOutcome } from './task.tsx'

/** The apps, and what Apple and Google issued for them. */
export default function AppsPage() {
  const query = useApps()
  const mayAdd = useMay('admin')
  const { app } = useSignedIn()
  return (
    <>
      <header className="page-head">
        <h1>Apps</h1>
        {mayAdd && !app && query.data && <NewAppButton apps={query.data.apps} />}
      </header>
      <Loaded query={query}>
        {({ apps }) =>
          apps.length === 0 ? (
            <Empty title="No app yet">
              <p>
                Add one here, or with <code>npx pushkeep app create shop</code>.
              </p>
            </Empty>
          ) : (
            <div className="sections">
              {apps.map((one) => (
                <AppSection key={one.id} app={one} />
              ))}
            </div>
          )
        }
      </Loaded>
    </>
  )
}

const identityWords: Record<App['identity_mode'], string> = {
  required: 'identity tokens required',
  log: 'missing identity tokens are logged',
  off: 'open: asks for no identity tokens',
}

const providers = ['apns', 'fcm'] as const

function AppSection({ app }: { app: App }) {
  return (
    <section className="card" aria-labelledby={`app-${app.id}`}>
      <h2 id={`app-${app.id}`}>{app.name}</h2>
      <p className="muted">
        <Id text={app.id} label="Copy the app’s id" />
        {' · '}
        {identityWords[app.identity_mode]}
      </p>
      <ul className="providers">
        {providers.map((provider) => {
          const state = app.providers.find((one) => one.provider === provider)
          return (
            <li key={provider} className="provider">
              {state ? (
                <ProviderPart app={app} state={state} />
              ) : (
                <NoCredentials app={app} provider={provider} />
              )}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

const settingNames: Record<string, string> = {
  topic: 'Bundle id',
  teamId: 'Team',
  keyId: 'Key',
  environment: 'Environment',
  projectId: 'Project',
  clientEmail: 'Service account',
}

/** Which message and whose device led to the pause, and how many agreed. */
function PauseCause({
  cause,
}: {
  cause: NonNullable<NonNullable<AppProvider['paused']>['cause']>
}) {
  const { message_id, person_id, device, agreed } = cause
  return (
    <p>
      Led to by {message_id ? <Link href={`/messages/${message_id}`}>a message</Link> : 'a message'}{' '}
      to{' '}
      {person_id ? (
        <Link href={`/people/${encodeURIComponent(person_id)}`}>{person_id}</Link>
      ) : (
        `device ${device}`
      )}
      {agreed > 1 && `; devices of ${agreed} people got the same answer`}.
    </p>
  )
}

function ProviderPart({ app, state }: { app: App; state: AppProvider }) {
  const [isReplacing, setIsReplacing] = useState(false)
  const mayCheck = useMay('operate')
  const mayReplace = useMay('admin')
  const { provider, settings, paused, guard, last_task } = state
  const check = useChange(
    () => call('POST', `apps/${app.id}/providers/${provider}/check`),
    [['apps']],
  )
  const isOpen = last_task !== null && last_task.finished_at === null
  return (
    <>
      <h3>
        {providerName(provider)} <ProviderBadge health={state} />
      </h3>
      {paused && (
        <div className="notice bad">
          <div>
            <p className="notice-title">
              Paused <Time at={paused.at} />: {paused.reason}
            </p>
            <p>{explainReason(paused.reason).means}</p>
            {paused.cause && <PauseCause cause={paused.cause} />}
            <ResumeButton appId={app.id} provider={provider} />
          </div>
        </div>
      )}
      {guard && (
        <div className="notice bad">
          <div>
            <p className="notice-title">
              No token is retired since <Time at={guard.since} />: {guard.reason}
            </p>
            <BounceButtons appId={app.id} provider={provider} since={guard.since} />
          </div>
        </div>
      )}
      <dl className="attributes">
        {Object.entries(settings).map(([name, value]) => (
          <div key={name}>
            <dt>{settingNames[name] ?? name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
        <div>
          <dt>Stored</dt>
          <dd>
            <Time at={state.stored_at} />
          </dd>
        </div>
        <div>
          <dt>Ends</dt>
          <dd>
            <Expiry at={state.expires_at} />
          </dd>
        </div>
      </dl>
      {last_task && <TaskOutcome task={last_task} />}
      <div className="actions">
        {mayCheck && (
          <Button isBusy={check.isPending || isOpen} onClick={() => check.mutate(undefined)}>
            {isOpen ? 'Asking the provider…' : 'Check with the provider'}
          </Button>
        )}
        {mayReplace && <Button onClick={() => setIsReplacing(true)}>Replace…</Button>}
      </div>
      {check.error && <ErrorNotice error={check.error} />}
      {isReplacing && (
        <CredentialDialog
          app={app}
          provider={provider}
          settings={settings}
          onClose={() => setIsReplacing(false)}
        />
      )}
    </>
  )
}

const soonMs = 30 * 86_400_000

function Expiry({ at }: { at: string | null }) {
  const now = useNow(60_000)
  if (at === null) return <span className="muted">no date given</span>
  const rest = new Date(at).getTime() - now
  if (rest <= 0) return <Badge tone="bad">ended on {day(at)}</Badge>
  if (rest < soonMs) {
    return (
      <Badge tone="warn">
        {day(at)}, {relative(at, now)}
      </Badge>
    )
  }
  return day(at)
}

function NoCredentials({ app, provider }: { app: App; provider: 'apns' | 'fcm' }) {
  const [isAdding, setIsAdding] = useState(false)
  const may = useMay('admin')
  return (
    <>
      <h3>
        {providerName(provider)} <Badge tone="none">no credentials</Badge>
      </h3>
      <p className="muted">
        {may
          ? `Pushes to its ${provider === 'apns' ? 'iPhones' : 'Android phones'} fail until there are some.`
          : 'To add them it needs a key with the role admin.'}
      </p>
      {may && (
        <div className="actions">
          <Button onClick={() => setIsAdding(true)}>Add…</Button>
        </div>
      )}
      {isAdding && (
        <CredentialDialog
          app={app}
          provider={provider}
          settings={{}}
          onClose={() => setIsAdding(false)}
        />
      )}
    </>
  )
}
