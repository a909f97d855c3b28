import type { Message } from '@pushkeep/console-api'

/** What the message says, as it was accepted: out of sight until somebody asks, it may be personal. */
export function Content({ message }: { message: Message }) {
  const parts = [
    ['Content', message.content],
    ['Laid over for APNs', message.apns],
    ['Laid over for FCM', message.fcm],
  ] as const
  return (
    <section className="card" aria-labelledby="content-of-message">
      <h2 id="content-of-message">What it says</h2>
      <details>
        <summary>Show it</summary>
        {parts.map(
          ([name, part]) =>
            part && (
              <div key={name}>
                <h3>{name}</h3>
                <pre className="wrapped">{JSON.stringify(part, null, 2)}</pre>
              </div>
            ),
        )}
        <p className="muted">
          Priority {message.priority}, lane {message.lane}, collapse id{' '}
          <code>{message.collapse_id}</code>
        </p>
      </details>
    </section>
  )
}
