import type { Delivery, Message } from '@pushkeep/console-api'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { useDeliveries } from '../../api/queries.ts'
import { Badge, type Tone } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { number } from '../../ui/format.ts'
import { Scroll } from '../../ui/scroll.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { explainReason, type StatusName, statusWords } from '../../words/reasons.ts'

const tones: Record<StatusName, Tone> = {
  sent: 'good',
  bounced: 'warn',
  suppressed: 'none',
  failed: 'bad',
  expired: 'warn',
  pending: 'info',
}

/** A delivery's status, in a word. */
export function StatusBadge({ status }: { status: StatusName }) {
  return <Badge tone={tones[status]}>{statusWords[status].label.toLowerCase()}</Badge>
}

const names = Object.keys(statusWords) as StatusName[]

/** The deliveries one by one; a status that is rare is looked for page by page. */
export function Deliveries({ message }: { message: Message }) {
  const [isOpen, setIsOpen] = useState(false)
  const [status, setStatus] = useState<StatusName | ''>('')
  return (
    <section className="card" aria-labelledby="deliveries">
      <h2 id="deliveries">Deliveries</h2>
      <div className="toolbar">
        <label htmlFor="delivery-status">Status</label>
        <select
          id="delivery-status"
          value={status}
          onChange={(event) => {
            setStatus(names.find((name) => name === event.target.value) ?? '')
            setIsOpen(true)
          }}
        >
          <option value="">any</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {statusWords[name].label} ({number(message.counts[name])})
            </option>
          ))}
        </select>
        {!isOpen && <Button onClick={() => setIsOpen(true)}>Show them</Button>}
      </div>
      {isOpen && <DeliveryTable key={status} id={message.id} status={status} />}
    </section>
  )
}

/** Rows that are enough for a first look. */
const enough = 20

function DeliveryTable({ id, status }: { id: string; status: StatusName | '' }) {
  const query = useDeliveries(id, status, true)
  const { data, hasNextPage, isFetching, fetchNextPage } = query
  const rows = data?.pages.flatMap((page) => page.deliveries) ?? []
  const lookedThrough = data?.pages.reduce((sum, page) => sum + page.looked_through, 0) ?? 0

  // A page looks through so many and may find few: it goes on until there is something to see.
  const isLooking = hasNextPage && rows.length < enough
  useEffect(() => {
    if (isLooking && !isFetching) void fetchNextPage()
  }, [isLooking, isFetching, fetchNextPage])

  return (
    <Loaded query={query}>
      {() => (
        <>
          {rows.length > 0 && <Rows rows={rows} />}
          {isLooking && (
            <p className="muted" role="status">
              Looked through {number(lookedThrough)}, found {number(rows.length)} …
            </p>
          )}
          {!isLooking && rows.length === 0 && <Empty title="None stands so" />}
          {!isLooking && hasNextPage && (
            <div className="more">
              <Button isBusy={isFetching} onClick={() => void fetchNextPage()}>
                More
              </Button>
            </div>
          )}
        </>
      )}
    </Loaded>
  )
}

function Rows({ rows }: { rows: Delivery[] }) {
  return (
    <Scroll label="Deliveries">
      <table>
        <thead>
          <tr>
            <th scope="col">Person</th>
            <th scope="col">Device</th>
            <th scope="col">Status</th>
            <th scope="col">Why</th>
            <th scope="col" className="figure">
              Tries
            </th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.device} ${row.person_id} ${row.at}`}>
              <td>
                {row.person_id === null ? (
                  <span className="muted">nobody’s</span>
                ) : (
                  <Link href={`/people/${encodeURIComponent(row.person_id)}`}>{row.person_id}</Link>
                )}
              </td>
              <td>
                {row.device === null ? (
                  <span className="muted">deleted</span>
                ) : (
                  <>
                    {row.platform} <code>{row.device.slice(0, 8)}</code>
                  </>
                )}
              </td>
              <td>
                <StatusBadge status={row.status} />
              </td>
              <td className="reason-cell">
                {row.reason && (
                  <span title={explainReason(row.reason).means}>
                    <code>{row.reason}</code>
                  </span>
                )}
              </td>
              <td className="figure">{number(row.attempts)}</td>
              <td>
                <Time at={row.at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
