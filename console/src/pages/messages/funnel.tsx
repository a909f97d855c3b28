import type { Message } from '@pushkeep/console-api'
import { number, percent } from '../../ui/format.ts'
import { Legend } from '../../ui/stack.tsx'
import { countParts } from './state.tsx'

/** From accepted to opened: how many are left at each step. */
export function Funnel({ message }: { message: Message }) {
  const { counts, receipts } = message
  const steps = [
    { name: 'Accepted', series: 'accepted', value: counts.recipients, of: null },
    { name: 'Sent', series: 'sent', value: counts.sent, of: counts.recipients },
    { name: 'Delivered', series: 'delivered', value: receipts.delivered, of: counts.sent },
    { name: 'Opened', series: 'opened', value: receipts.opened, of: receipts.delivered },
  ]
  const whole = Math.max(counts.recipients, 1)
  return (
    <section className="card" aria-labelledby="funnel">
      <h2 id="funnel">From accepted to opened</h2>
      <ol className="funnel">
        {steps.map(({ name, series, value, of }) => (
          <li key={name} className={series}>
            <span className="funnel-name">{name}</span>
            <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
              <rect className="stack-ground" width="100" height="1" />
              <rect className={`bar ${series}`} width={(value / whole) * 100} height="1" />
            </svg>
            <span className="funnel-value">
              <strong>{number(value)}</strong>
              {of !== null && of > 0 && <span className="muted"> {percent(value / of)}</span>}
            </span>
          </li>
        ))}
      </ol>
      <p className="muted">
        Sent: the provider accepted it. Delivered and opened: what the app’s SDK reported
        {receipts.clicked > 0 && `; ${number(receipts.clicked)} clicked`}
        {receipts.converted > 0 && `; ${number(receipts.converted)} converted`}.
      </p>
      <Legend
        parts={[
          ...countParts(message),
          { label: 'Pending', series: 'pending', value: counts.pending },
        ]}
      />
    </section>
  )
}
