import type { Person } from '@pushkeep/console-api'
import { Link } from 'wouter'
import { Scroll } from '../../ui/scroll.tsx'
import { Empty } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { explainReason } from '../../words/reasons.ts'
import { StatusBadge } from '../messages/deliveries.tsx'

/** What was sent to a person, and what came of it. */
export function PersonDeliveries({ person }: { person: Person }) {
  const { deliveries } = person
  return (
    <section className="card" aria-labelledby="sent-to-them">
      <h2 id="sent-to-them">
        Last deliveries <span className="muted">fifty at most</span>
      </h2>
      {deliveries.length === 0 ? (
        <Empty title="Nothing was sent to them">
          <p>No message that is kept had one of their devices among its recipients.</p>
        </Empty>
      ) : (
        <Scroll label="Deliveries to them">
          <table>
            <thead>
              <tr>
                <th scope="col">Message</th>
                <th scope="col">Device</th>
                <th scope="col">Status</th>
                <th scope="col">Why</th>
                <th scope="col">When</th>
              </tr>
            </thead>
            <tbody>
              {deliveries.map((row) => (
                <tr key={`${row.message_id} ${row.fingerprint}`}>
                  <td>
                    <Link href={`/messages/${row.message_id}`}>{row.title ?? 'silent push'}</Link>
                  </td>
                  <td>
                    <code>{row.fingerprint.slice(0, 8)}</code>
                  </td>
                  <td>
                    <StatusBadge status={row.status} />
                  </td>
                  <td className="reason-cell">
                    {row.reason && (
                      <>
                        <code>{row.reason}</code>{' '}
                        <span className="muted">{explainReason(row.reason).means}</span>
                      </>
                    )}
                  </td>
                  <td>
                    <Time at={row.at} />
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
