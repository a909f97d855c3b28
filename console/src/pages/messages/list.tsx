import type { ListedMessage } from '@pushkeep/console-api'
import { type FormEvent, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { type Only, useMessages } from '../../api/queries.ts'
import { Button } from '../../ui/button.tsx'
import { compact } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { Stack } from '../../ui/stack.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { audienceWords, countParts, StateBadge } from './state.tsx'

/** The messages of the workspace, newest first. */
export default function MessagesPage() {
  const [only, setOnly] = useState<Only>(null)
  const query = useMessages(only)
  return (
    <>
      <header className="page-head">
        <h1>Messages</h1>
        <OpenById />
      </header>
      <fieldset className="choices">
        <legend className="hidden">Which messages</legend>
        {choices.map(({ value, label }) => (
          <label key={label}>
            <input
              type="radio"
              name="only"
              checked={only === value}
              onChange={() => setOnly(value)}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <Loaded query={query}>
        {({ pages }) => {
          const messages = pages.flatMap((page) => page.messages)
          if (messages.length === 0 && !query.hasNextPage) return <NoMessages only={only} />
          return (
            <>
              <ul className="rows messages">
                {messages.map((message) => (
                  <MessageRow key={message.id} message={message} />
                ))}
              </ul>
              {query.hasNextPage && (
                <div className="more">
                  <Button
                    isBusy={query.isFetchingNextPage}
                    onClick={() => void query.fetchNextPage()}
                  >
                    Older messages
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

function MessageRow({ message }: { message: ListedMessage }) {
  const { id, title, state, audience, created_at, counts } = message
  return (
    <li className="row">
      <Link href={`/messages/${id}`} className="row-link">
        <span className="row-title">{title ?? <em className="muted">silent push</em>}</span>
      </Link>
      <span className="row-state">
        {state === 'done' && !message.cancelled_at ? (
          <span className="muted">done</span>
        ) : (
          <StateBadge message={message} />
        )}
      </span>
      <span className="row-note muted">{audienceWords(audience)}</span>
      <span className="row-when muted">
        <Time at={created_at} />
      </span>
      <span className="row-bar">
        <Stack label="Recipients" parts={withPending(message)} />
      </span>
      <span className="row-figures muted">
        {compact(counts.sent)} sent of {compact(counts.recipients)}
      </span>
    </li>
  )
}

function withPending(message: ListedMessage) {
  const { pending } = message.counts
  return [...countParts(message), { label: 'Pending', series: 'pending', value: pending }]
}

const choices: { value: Only; label: string }[] = [
  { value: null, label: 'All' },
  { value: 'bulk', label: 'Broadcasts and long lists' },
  { value: 'scheduled', label: 'Scheduled' },
]

const nothing = {
  all: 'No message yet',
  bulk: 'No broadcast yet',
  scheduled: 'No message waits for its time',
}

function NoMessages({ only }: { only: Only }) {
  return (
    <Empty title={nothing[only ?? 'all']}>
      <p>
        Backends send with <code>POST /v1/messages</code>; <a href="/docs">the API’s page</a> shows
        how. To try a push on one phone, open a person and send a test.
      </p>
    </Empty>
  )
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whoever has a message's id from a log goes straight to it. */
function OpenById() {
  const [, go] = useLocation()
  const [id, setId] = useState('')
  const isId = uuid.test(id.trim())
  function open(event: FormEvent) {
    event.preventDefault()
    if (isId) go(`/messages/${id.trim().toLowerCase()}`)
  }
  return (
    <form className="inline-form" onSubmit={open}>
      <label className="hidden" htmlFor="message-id">
        Message id
      </label>
      <input
        id="message-id"
        placeholder="Message id"
        spellCheck={false}
        autoComplete="off"
        value={id}
        onChange={(event) => setId(event.target.value)}
      />
      <Button type="submit" disabled={!isId}>
        Open <Icon name="arrow" />
      </Button>
    </form>
  )
}
