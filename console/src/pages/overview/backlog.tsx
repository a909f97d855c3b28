import { Badge } from '../../ui/badge.tsx'
import { count, duration, number } from '../../ui/format.ts'
import { Scroll } from '../../ui/scroll.tsx'
import type { HeadlineProps } from './headline.tsx'

const laneNames = { transactional: 'messages', bulk: 'broadcasts' }

/** What waits, for how long, and who works on it. */
export function Backlog({ overview, nameOf }: HeadlineProps) {
  const { backlog, queues, workers } = overview
  const { lanes } = backlog
  const isIdle = lanes.length === 0 && backlog.unplanned === 0
  return (
    <section className="card" aria-labelledby="backlog">
      <h2 id="backlog">
        Waiting{' '}
        <Badge tone={workers.alive > 0 ? 'good' : 'bad'}>
          {count(workers.alive, 'worker process', 'worker processes')}
        </Badge>
      </h2>
      {isIdle ? (
        <p className="calm">Nothing waits.</p>
      ) : (
        <Scroll label="What waits">
          <table>
            <thead>
              <tr>
                <th scope="col">Lane</th>
                <th scope="col" className="figure">
                  Waiting
                </th>
                <th scope="col" className="figure">
                  Under way
                </th>
                <th scope="col" className="figure">
                  Later
                </th>
                <th scope="col" className="figure">
                  Oldest
                </th>
              </tr>
            </thead>
            <tbody>
              {lanes.map((lane) => (
                <tr key={`${lane.app_id} ${lane.provider} ${lane.lane}`}>
                  <th scope="row">
                    {nameOf(lane.app_id)} {lane.provider} {laneNames[lane.lane]}
                  </th>
                  <td className="figure">{number(lane.waiting)}</td>
                  <td className="figure">{number(lane.active)}</td>
                  <td className="figure">{number(lane.later)}</td>
                  <td className="figure">
                    {lane.oldest_seconds === null ? '–' : duration(lane.oldest_seconds)}
                  </td>
                </tr>
              ))}
              {backlog.unplanned > 0 && (
                <tr>
                  <th scope="row">audiences to make out</th>
                  <td className="figure">{number(backlog.unplanned)}</td>
                  <td colSpan={3} />
                </tr>
              )}
            </tbody>
          </table>
        </Scroll>
      )}
      {backlog.is_cut && <p className="muted">There is more than was counted.</p>}
      {(queues === null || queues.length > 0) && <h3>Queues</h3>}
      {queues === null && (
        <p>
          <Badge tone="bad">away</Badge> Their server does not answer; what was accepted is safe.
        </p>
      )}
      {queues !== null && queues.length > 0 && (
        <Scroll label="Queues">
          <table>
            <thead>
              <tr>
                <th scope="col">Queue</th>
                <th scope="col" className="figure">
                  Jobs waiting
                </th>
                <th scope="col" className="figure">
                  Active
                </th>
                <th scope="col" className="figure">
                  Failed
                </th>
                <th scope="col" className="figure">
                  Oldest
                </th>
              </tr>
            </thead>
            <tbody>
              {queues.map((queue) => (
                <tr key={queue.name}>
                  <th scope="row">
                    <a href={`/ops/queues/queue/${queue.name}`}>{queue.name}</a>
                  </th>
                  <td className="figure">{number(queue.waiting)}</td>
                  <td className="figure">{number(queue.active)}</td>
                  <td className={queue.failed > 0 ? 'figure bad' : 'figure'}>
                    {number(queue.failed)}
                  </td>
                  <td className="figure">
                    {queue.oldest_seconds === null ? '–' : duration(queue.oldest_seconds)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  )
}
