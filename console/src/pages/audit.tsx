import type { AuditEntry } from '@pushkeep/console-api'
import { Link } from 'wouter'
import { useAudit } from '../api/queries.ts'
import { useSignedIn } from '../session.tsx'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Scroll } from '../ui/scroll.tsx'
import { Empty, Loaded } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { actionWords, detailWords } from '../words/audit.ts'

/** Who did what, when, and on what. */
export default function AuditPage() {
  const query = useAudit()
  return (
    <>
      <header className="page-head">
        <h1>Audit log</h1>
      </header>
      <Loaded query={query}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.entries)
          if (entries.length === 0) {
            return (
              <Empty title="Nothing was done yet">
                <p>Sign-ins, tests, resumes, credentials and keys appear here.</p>
              </Empty>
            )
          }
          return (
            <>
              <Chain entries={entries} />
              <section className="card" aria-label="Entries">
                <EntryTable entries={entries} />
              </section>
              {query.hasNextPage && (
                <div className="more">
                  <Button
                    isBusy={query.isFetchingNextPage}
                    onClick={() => void query.fetchNextPage()}
                  >
                    Older entries
                  </Button>
                </div>
              )}
            </>
          )
        }}
      </Loaded>
    </>
  )
}

/** Each entry holds the hash of the one before: a change or a gap shows. */
function Chain({ entries }: { entries: AuditEntry[] }) {
  const broken = entries.filter(({ is_intact }) => !is_intact)
  if (broken.length > 0) {
    return (
      <div className="notice bad" role="alert">
        <Icon name="fault" />
        <p className="notice-title">
          The log was tampered with: entry {broken.map(({ number }) => number).join(', ')} was
          changed, or the one below it is missing. Compare with a backup.
        </p>
      </div>
    )
  }
  return (
    <p className="muted chain">
      <Icon name="check" /> Each of these entries is unchanged and follows the one below it.
    </p>
  )
}

function EntryTable({ entries }: { entries: AuditEntry[] }) {
  return (
    <Scroll label="Entries">
      <table>
        <thead>
          <tr>
            <th scope="col" className="figure">
              No.
            </th>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">From</th>
            <th scope="col">Did what</th>
            <th scope="col">On what</th>
            <th scope="col">Details</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.number} className={entry.is_intact ? undefined : 'broken'}>
              <td className="figure muted">{entry.number}</td>
              <td>
                <Time at={entry.at} />
              </td>
              <th scope="row">
                {entry.key ? (
                  <>
                    <span title={entry.key.id}>{entry.key.name}</span>{' '}
                    <Badge tone="none">{entry.key.role ?? 'public'}</Badge>
                  </>
                ) : entry.address === null ? (
                  <code>pushkeep</code>
                ) : (
                  'no key'
                )}
              </th>
              <td className="muted">{entry.address}</td>
              <td>{actionWords(entry)}</td>
              <td>
                <Target entry={entry} />
              </td>
              <td className="muted">{detailWords(entry.detail)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

function Target({ entry: { target } }: { entry: AuditEntry }) {
  const { kind, id } = target
  const isOperator = useSignedIn().key.is_installation
  if (id === null) return <span className="muted">a person who was erased</span>
  switch (kind) {
    case 'message':
      return <Link href={`/messages/${id}`}>message {id.slice(-8)}</Link>
    case 'person':
      return <Link href={`/people/${encodeURIComponent(id)}`}>{id}</Link>
    case 'app':
      return <Link href="/apps">app {id.slice(-8)}</Link>
    case 'key':
      return <Link href="/keys">key {id.slice(-8)}</Link>
    case 'queue':
      return isOperator ? <a href={`/ops/queues/queue/${id}`}>queue {id}</a> : <>queue {id}</>
    case 'workspace':
      return <span className="muted">the workspace</span>
  }
}
