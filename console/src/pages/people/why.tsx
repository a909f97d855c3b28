import type { Person } from '@pushkeep/console-api'
import { type FormEvent, useState } from 'react'
import { Link } from 'wouter'
import { useMessages, useWhy } from '../../api/queries.ts'
import { Button } from '../../ui/button.tsx'
import { Empty, Loaded } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import type { NameOfApp } from '../../words/problems.ts'
import { TraceWords } from './trace.tsx'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Why a person did or did not get a message: one of the last broadcasts, or any by its id. */
export function Why({ person, nameOf }: { person: Person; nameOf: NameOfApp }) {
  const [messageId, setMessageId] = useState('')
  const [text, setText] = useState('')
  const broadcasts = useMessages('bulk').data?.pages[0]?.messages.slice(0, 12) ?? []
  const isId = uuid.test(text.trim())

  function ask(event: FormEvent) {
    event.preventDefault()
    if (isId) setMessageId(text.trim().toLowerCase())
  }

  return (
    <section className="card" aria-labelledby="why">
      <h2 id="why">Why did they (not) get a message?</h2>
      <form className="toolbar" onSubmit={ask}>
        {broadcasts.length > 0 && (
          <>
            <label htmlFor="why-broadcast">Broadcast</label>
            <select
              id="why-broadcast"
              value={broadcasts.some(({ id }) => id === messageId) ? messageId : ''}
              onChange={(event) => setMessageId(event.target.value)}
            >
              <option value="">choose one</option>
              {broadcasts.map(({ id, title, created_at }) => (
                <option key={id} value={id}>
                  {created_at.slice(0, 16).replace('T', ' ')} {title ?? 'silent push'}
                </option>
              ))}
            </select>
          </>
        )}
        <label htmlFor="why-id">Message id</label>
        <input
          id="why-id"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" disabled={!isId}>
          Ask
        </Button>
      </form>
      {messageId !== '' && (
        <Answer person={person} messageId={messageId} nameOf={nameOf} key={messageId} />
      )}
    </section>
  )
}

interface AnswerProps {
  person: Person
  messageId: string
  nameOf: NameOfApp
}

function Answer({ person, messageId, nameOf }: AnswerProps) {
  const query = useWhy(person.id, messageId)
  return (
    <div role="status">
      <Loaded query={query}>
        {({ message, devices }) => (
          <>
            <p>
              <Link href={`/messages/${message.id}`}>{message.title ?? 'Silent push'}</Link>,
              accepted <Time at={message.created_at} />, is {message.state}.
            </p>
            {devices.length === 0 ? (
              <Empty title="They have no device now, so that nothing could be sent to them">
                <p>A device that was deleted since is not shown here.</p>
              </Empty>
            ) : (
              <ul className="traces">
                {devices.map(({ app_id, fingerprint, trace }) => (
                  <li key={`${app_id} ${fingerprint}`}>
                    <p className="muted">
                      {nameOf(app_id)}, token <code>{fingerprint.slice(0, 8)}</code>
                    </p>
                    <TraceWords trace={trace} />
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Loaded>
    </div>
  )
}
