import type { Message } from '@pushkeep/console-api'
import { useMessage } from '../../api/queries.ts'
import { Badge } from '../../ui/badge.tsx'
import { Id } from '../../ui/copy.tsx'
import { number } from '../../ui/format.ts'
import { ProgressChart } from '../../ui/progress-chart.tsx'
import { Legend } from '../../ui/stack.tsx'
import { Empty, isGone, LiveMark, Loaded } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { MessageActions } from './actions.tsx'
import { Content } from './content.tsx'
import { Deliveries } from './deliveries.tsx'
import { Funnel } from './funnel.tsx'
import { Reasons } from './reasons.tsx'
import { audienceWords, countParts, StateBadge } from './state.tsx'

/** One message: how it went, and what became of each delivery. */
export default function MessagePage({ id }: { id: string }) {
  const query = useMessage(id)
  return (
    <>
      <header className="page-head">
        <h1>{query.data?.title ?? 'Message'}</h1>
        {!isGone(query.error) && <LiveMark state={query.live} />}
      </header>
      <Loaded query={query}>{(message) => <Parts message={message} />}</Loaded>
    </>
  )
}

function Parts({ message }: { message: Message }) {
  return (
    <div className="sections">
      <Facts message={message} />
      <div className="two">
        <Funnel message={message} />
        <section className="card" aria-labelledby="reasons">
          <h2 id="reasons">Why not all of them</h2>
          <Reasons message={message} />
        </section>
      </div>
      {message.progress && (
        <section className="card" aria-labelledby="course">
          <h2 id="course">Over time</h2>
          {message.progress.points.length === 0 ? (
            <Empty title="Nothing has ended yet" />
          ) : (
            <>
              <ProgressChart progress={message.progress} />
              <Legend parts={countParts(message)} />
            </>
          )}
        </section>
      )}
      <Deliveries message={message} />
      <Content message={message} />
    </div>
  )
}

function Facts({ message }: { message: Message }) {
  const { counts, balanced, people } = message
  return (
    <section className="card facts-card" aria-label="Facts">
      <dl className="facts">
        <div>
          <dt>State</dt>
          <dd>
            <StateBadge message={message} />{' '}
            {!balanced && <Badge tone="bad">does not add up</Badge>}
          </dd>
        </div>
        <div>
          <dt>For</dt>
          <dd>
            {audienceWords(message.audience)}
            {people.length > 0 && <People ids={people} />}
          </dd>
        </div>
        <div>
          <dt>Recipients</dt>
          <dd>{number(counts.recipients)}</dd>
        </div>
        <div>
          <dt>Pending</dt>
          <dd>{number(counts.pending)}</dd>
        </div>
        <div>
          <dt>Accepted</dt>
          <dd>
            <Time at={message.created_at} />
          </dd>
        </div>
        {message.send_at && (
          <div>
            <dt>{message.state === 'scheduled' ? 'Sent' : 'Was scheduled for'}</dt>
            <dd>
              <Time at={message.send_at} />
            </dd>
          </div>
        )}
        {message.cancelled_at && (
          <div>
            <dt>Cancelled</dt>
            <dd>
              <Time at={message.cancelled_at} />
            </dd>
          </div>
        )}
        <div>
          <dt>Expires</dt>
          <dd>
            <Time at={message.expires_at} />
          </dd>
        </div>
        <div className="wide">
          <dt>Id</dt>
          <dd>
            <Id text={message.id} label="Copy the id" />
          </dd>
        </div>
      </dl>
      <MessageActions message={message} />
    </section>
  )
}

function People({ ids }: { ids: string[] }) {
  return (
    <span>
      :{' '}
      {ids.map((id, index) => (
        <span key={id}>
          {index > 0 && ', '}
          <a href={`/ops/people/${encodeURIComponent(id)}`}>{id}</a>
        </span>
      ))}
    </span>
  )
}
