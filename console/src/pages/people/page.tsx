import type { Person } from '@pushkeep/console-api'
import { call } from '../../api/client.ts'
import { useApps, useChange, usePerson } from '../../api/queries.ts'
import { useMay, useMayReachAllApps } from '../../session.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice, Loaded } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { useToast } from '../../ui/toast.tsx'
import { Attributes } from './attributes.tsx'
import { PersonDeliveries } from './deliveries.tsx'
import { DeviceCard } from './device.tsx'
import { Why } from './why.tsx'

/** One person: whether a push reaches them, and why what was sent did or did not. */
export default function PersonPage({ id }: { id: string }) {
  const query = usePerson(id)
  return (
    <>
      <header className="page-head">
        <h1 className="breakable">{id}</h1>
        {query.data?.suppressed && <Badge tone="warn">suppressed</Badge>}
      </header>
      <Loaded query={query}>{(person) => <Parts person={person} />}</Loaded>
    </>
  )
}

function Parts({ person }: { person: Person }) {
  const apps = useApps().data?.apps ?? []
  const nameOf = (id: string) => apps.find((app) => app.id === id)?.name ?? 'an app'
  return (
    <div className="sections">
      <Verdict person={person} />
      {person.devices.length > 0 && (
        <section aria-labelledby="devices">
          <h2 id="devices">Devices</h2>
          <ul className="cards">
            {person.devices.map((device) => (
              <DeviceCard
                key={`${device.app_id} ${device.fingerprint}`}
                device={device}
                personId={person.id}
                appName={nameOf(device.app_id)}
              />
            ))}
          </ul>
        </section>
      )}
      <Why person={person} nameOf={nameOf} />
      <PersonDeliveries person={person} />
      <section className="card" aria-labelledby="attributes">
        <h2 id="attributes">
          Attributes{' '}
          <span className="muted">
            changed <Time at={person.updated_at} />
          </span>
        </h2>
        <Attributes attributes={person.attributes} />
      </section>
    </div>
  )
}

/** The answer in a sentence. */
function Verdict({ person }: { person: Person }) {
  const { devices } = person
  const open = devices.filter(({ obstacles }) => !obstacles.some((o) => o.effect === 'withholds'))
  const waiting = open.filter(({ obstacles }) => obstacles.length > 0).length
  if (devices.length === 0) {
    return (
      <section className="headline warn" aria-label="Verdict">
        <p className="headline-text">A push would reach nobody: no device is registered.</p>
        <p className="headline-more">
          The app registers its device when the person signs in. If they have: does it call{' '}
          <code>identify</code>, and with this very id?
        </p>
        <Suppression person={person} />
      </section>
    )
  }
  const tone = open.length === 0 ? 'bad' : waiting === open.length ? 'warn' : 'good'
  return (
    <section className={`headline ${tone}`} aria-label="Verdict">
      <p className="headline-text">{verdictOf(devices.length, open.length, waiting)}</p>
      <Suppression person={person} />
    </section>
  )
}

function verdictOf(all: number, open: number, waiting: number): string {
  const whose = all === 1 ? 'their device' : `of their ${all} devices`
  if (open === 0)
    return `A push would ${all === 1 ? 'not reach their device' : `reach none ${whose}`}.`
  const to = all === 1 ? whose : `${open} ${whose}`
  if (waiting === 0) return `A push would be sent to ${to}.`
  return `A push would be sent to ${to}, though ${waiting === open ? 'not at once' : `not at once to ${waiting}`}.`
}

function Suppression({ person }: { person: Person }) {
  const mayOperate = useMay('operate')
  const may = useMayReachAllApps() && mayOperate
  const say = useToast()
  const to = person.suppressed ? 'unsuppress' : 'suppress'
  const change = useChange(
    () => call('POST', `people/${encodeURIComponent(person.id)}/${to}`),
    [['person', person.id]],
  )
  if (!may) return null
  return (
    <div className="actions">
      <Button
        isBusy={change.isPending}
        onClick={() =>
          change.mutate(undefined, {
            onSuccess: () =>
              say(person.suppressed ? 'Pushes go to them again.' : 'Nothing more is sent to them.'),
          })
        }
      >
        {person.suppressed ? 'Unsuppress' : 'Suppress all pushes'}
      </Button>
      {change.error && <ErrorNotice error={change.error} />}
    </div>
  )
}
