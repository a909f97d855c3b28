import type { Trace } from '@pushkeep/console-api'
import { count } from '../../ui/format.ts'
import { Time, useNow } from '../../ui/time.tsx'
import { absenceWords } from '../../words/obstacles.ts'
import { explainReason, statusWords } from '../../words/reasons.ts'
import { StatusBadge } from '../messages/deliveries.tsx'

/** What became of a message at a device, in words. */
export function TraceWords({ trace }: { trace: Trace }) {
  switch (trace.kind) {
    case 'delivery': {
      const explained = trace.reason === null ? null : explainReason(trace.reason)
      const isPending = trace.status === 'pending'
      return (
        <div className="trace">
          <p>
            <StatusBadge status={trace.status} />{' '}
            {isPending ? 'Tried, and tried again' : statusWords[trace.status].means}{' '}
            <span className="muted">
              <Time at={trace.at} />
              {trace.attempts > 1 && `, after ${count(trace.attempts, 'try', 'tries')}`}
            </span>
          </p>
          {trace.reason && explained && (
            <p className="muted">
              <code>{trace.reason}</code> {explained.means} {explained.todo}
            </p>
          )}
          {trace.status === 'sent' && (
            <p className="muted">
              If the phone shows nothing: is it online, and are notifications of the app allowed and
              not silenced?
            </p>
          )}
        </div>
      )
    }
    case 'waiting':
      return <Waiting trace={trace} />
    case 'absent':
      return (
        <p className="trace">
          <strong>No recipient.</strong> {absenceWords[trace.why]}
        </p>
      )
  }
}

function Waiting({ trace }: { trace: Extract<Trace, { kind: 'waiting' }> }) {
  const now = useNow()
  const isLater = new Date(trace.due_at).getTime() > now
  return (
    <p className="trace">
      <StatusBadge status="pending" />{' '}
      {trace.is_active
        ? 'A worker is at it.'
        : isLater
          ? 'It is tried again'
          : 'It waits its turn.'}{' '}
      {!trace.is_active && isLater && <Time at={trace.due_at} />}
    </p>
  )
}
