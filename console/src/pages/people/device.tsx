import type { Device } from '@pushkeep/console-api'
import { useState } from 'react'
import { useTimeline } from '../../api/queries.ts'
import { useMay } from '../../session.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { absolute } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { eventWords, obstacleWords } from '../../words/obstacles.ts'
import { Attributes } from './attributes.tsx'
import { TestPushDialog } from './test-push.tsx'

export interface DeviceCardProps {
  device: Device
  personId: string
  appName: string
}

const platformNames = { ios: 'iOS', android: 'Android' }

/** One device: whether a push reaches it and why not, what happened to it, and a test. */
export function DeviceCard({ device, personId, appName }: DeviceCardProps) {
  const [isTesting, setIsTesting] = useState(false)
  const may = useMay('operate')
  const { attributes, platform, fingerprint } = device
  const model = attributes.device_model
  return (
    <li className="card device">
      <p className="device-head">
        <Icon name="phone" />
        <strong>{typeof model === 'string' ? model : platformNames[platform]}</strong>
        <Verdict device={device} />
      </p>
      <p className="muted">
        {appName} · {platformNames[platform]}
        {device.environment && `, ${device.environment}`} · token{' '}
        <code>{fingerprint.slice(0, 8)}</code> · used <Time at={device.last_used} />
      </p>
      <Obstacles device={device} />
      <p className="muted">{lastStatusWords(device)}</p>
      <div className="actions">
        {may && <Button onClick={() => setIsTesting(true)}>Send a test push</Button>}
      </div>
      <TimelineOf device={device} />
      <details>
        <summary>Attributes</summary>
        <Attributes attributes={attributes} />
      </details>
      {isTesting && (
        <TestPushDialog
          device={device}
          personId={personId}
          appName={appName}
          onClose={() => setIsTesting(false)}
        />
      )}
    </li>
  )
}

function Verdict({ device: { obstacles } }: { device: Device }) {
  if (obstacles.some(({ effect }) => effect === 'withholds')) {
    return <Badge tone="bad">would get nothing</Badge>
  }
  if (obstacles.length > 0) return <Badge tone="warn">would have to wait</Badge>
  return <Badge tone="good">would get a push</Badge>
}

function Obstacles({ device: { obstacles } }: { device: Device }) {
  if (obstacles.length === 0) return null
  return (
    <ul className="obstacles">
      {obstacles.map(({ kind, effect, since, detail }) => {
        const { title, means, todo } = obstacleWords[kind]
        return (
          <li key={kind} className={effect}>
            <p className="obstacle-title">
              {title}
              {since && (
                <span className="muted">
                  {' '}
                  · <Time at={since} />
                </span>
              )}
            </p>
            <p>
              {means}{' '}
              {detail && (
                <>
                  The reason given: <code>{detail}</code>.
                </>
              )}
            </p>
            {todo && <p className="muted">{todo}</p>}
          </li>
        )
      })}
    </ul>
  )
}

function lastStatusWords({ last_status, status_at }: Device): string {
  if (last_status === '' || status_at === null) return 'Nothing was sent since it registered.'
  return `Last push: ${last_status}, ${absolute(status_at)}.`
}

function TimelineOf({ device }: { device: Device }) {
  const [isOpen, setIsOpen] = useState(false)
  const query = useTimeline(device.app_id, device.fingerprint, isOpen)
  return (
    <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>Timeline</summary>
      {isOpen && (
        <Loaded query={query}>
          {({ events, is_cut }) =>
            events.length === 0 ? (
              <Empty title="Nothing is on record" />
            ) : (
              <>
                <ol className="timeline">
                  {events.map((event) => (
                    <li key={`${event.at} ${event.kind}`}>
                      <Time at={event.at} />
                      <span>
                        {eventWords[event.kind] ?? event.kind}
                        {event.from_person_id && ` (from ${event.from_person_id})`}
                        {event.reason && (
                          <>
                            : <code>{event.reason}</code>
                          </>
                        )}
                      </span>
                    </li>
                  ))}
                </ol>
                {is_cut && <p className="muted">There is more than these.</p>}
              </>
            )
          }
        </Loaded>
      )}
    </details>
  )
}
