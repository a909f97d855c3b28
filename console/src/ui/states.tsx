import type { ReactNode } from 'react'
import { ApiError } from '../api/client.ts'
import type { LiveState } from '../api/live.ts'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'

/** Nothing is there: what that means, and what to do. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  )
}

/** What an error means to whoever looks at the page, and what to do. */
const advice: Record<string, string> = {
  unreachable: 'Is the push sender running? Your network may be away as well.',
  database_unavailable:
    'The database does not answer. What was accepted is safe; sending goes on when it is back.',
  queues_unavailable: 'The queues’ server does not answer. Nothing is lost: work is rung again.',
  unknown_message:
    'Is the id whole? It may be of another workspace or app, or so old that it was deleted.',
  unknown_person:
    'Is the id whole, with its capitals? It may have been deleted, or merged into another person.',
  role_needed: 'Sign in with a key of that role.',
  too_many_streams: 'Close a few tabs of this console.',
}

export interface ErrorNoticeProps {
  error: unknown
  /** Tries again what failed. */
  onRetry?: () => void
}

/** Something went wrong: what, and what to do. */
export function ErrorNotice({ error, onRetry }: ErrorNoticeProps) {
  const { code = 'unknown', message = 'Something went wrong.' } =
    error instanceof ApiError ? error : {}
  return (
    <div className="notice bad" role="alert">
      <Icon name="fault" />
      <div>
        <p className="notice-title">{sentence(message)}</p>
        {advice[code] && <p>{advice[code]}</p>}
        {onRetry && <Button onClick={onRetry}>Try again</Button>}
      </div>
    </div>
  )
}

/** Details of problems are written without a capital and a full stop. */
function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(capital) ? capital : `${capital}.`
}

export interface LoadedProps<Data> {
  query: { data: Data | undefined; error: Error | null; refetch: () => unknown }
  children: (data: Data) => ReactNode
}

/**
 * What was read; while it is read a quiet place of its size, and where that fails the error. Data
 * that is there already stays, with the error above it.
 */
export function Loaded<Data>({ query, children }: LoadedProps<Data>) {
  const { data, error } = query
  if (data === undefined && error === null) return <Waiting />
  const retry = isGone(error) ? {} : { onRetry: () => void query.refetch() }
  return (
    <>
      {error && <ErrorNotice error={error} {...retry} />}
      {data !== undefined && children(data)}
    </>
  )
}

/** Whether what was asked for is not there: asking again makes it no better. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

/** The page is being read. */
export function Waiting() {
  return (
    <div className="waiting" role="status">
      <span className="hidden">Loading</span>
      <span className="waiting-bar" />
      <span className="waiting-bar" />
      <span className="waiting-bar" />
    </div>
  )
}

const liveWords: Record<LiveState, string> = {
  connecting: 'connecting',
  live: 'live',
  stale: 'not live: asking every 10 s',
  off: 'paused',
}

/** Whether the page shows the present. */
export function LiveMark({ state }: { state: LiveState }) {
  return (
    <span className={`live ${state}`}>
      <span className="live-dot" aria-hidden="true" />
      {liveWords[state]}
    </span>
  )
}
