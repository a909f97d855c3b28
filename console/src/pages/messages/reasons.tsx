import type { Message, ReasonCount } from '@pushkeep/console-api'
import { number } from '../../ui/format.ts'
import { explainReason, type StatusName, statusWords } from '../../words/reasons.ts'

/** Why deliveries were not sent, the most frequent reason first. */
export function Reasons({ message }: { message: Message }) {
  const { reasons, counts } = message
  const notSent = counts.bounced + counts.suppressed + counts.failed + counts.expired
  if (notSent === 0) {
    return (
      <p className="calm">
        {counts.pending > 0 ? 'Nothing has gone wrong so far.' : 'Every one of them was sent.'}
      </p>
    )
  }
  const told = reasons.list.reduce((sum, { deliveries }) => sum + deliveries, 0)
  const untold = notSent - told
  return (
    <>
      <ul className="reasons">
        {reasons.list.map((reason) => (
          <Reason key={`${reason.status} ${reason.reason}`} {...reason} />
        ))}
      </ul>
      {!reasons.is_exact && (
        <p className="muted">
          Summed up by the workers as they went
          {untold > 0 && `; of ${number(untold)} more the reason is on the deliveries alone`}.
        </p>
      )}
    </>
  )
}

function Reason({ status, reason, deliveries }: ReasonCount) {
  const { means, todo } = explainReason(reason)
  const words = statusWords[status as StatusName]
  return (
    <li className={status}>
      <p className="reason-head">
        <span className="swatch" aria-hidden="true" />
        <strong>{number(deliveries)}</strong> {words.label.toLowerCase()}
        {reason !== '' && <code>{reason}</code>}
      </p>
      <p className="muted">
        {reason === '' ? words.means : means} {todo}
      </p>
    </li>
  )
}
