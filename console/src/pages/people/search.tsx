import { type FormEvent, useDeferredValue, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { usePeopleSearch } from '../../api/queries.ts'
import { Badge } from '../../ui/badge.tsx'
import { count } from '../../ui/format.ts'
import { Empty, Loaded } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'

/** Finding a person. What is looked for stays out of the address: it is personal. */
export default function PeoplePage() {
  const [, go] = useLocation()
  const [text, setText] = useState('')
  const wanted = useDeferredValue(text.trim())
  const query = usePeopleSearch(wanted)
  const first = query.data?.people[0]

  function open(event: FormEvent) {
    event.preventDefault()
    if (first && !query.isPlaceholderData) go(`/people/${encodeURIComponent(first.id)}`)
  }

  return (
    <>
      <header className="page-head">
        <h1>People</h1>
      </header>
      <search>
        <form className="search" onSubmit={open}>
          <label htmlFor="person-search">Find a person</label>
          <input
            id="person-search"
            type="search"
            placeholder="The beginning of an id or e-mail address, or a device token"
            spellCheck={false}
            autoComplete="off"
            // biome-ignore lint/a11y/noAutofocus: the page has one purpose, and this is it
            autoFocus
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </form>
      </search>
      <Loaded query={query}>
        {({ people, is_cut }) =>
          people.length === 0 ? (
            <Nobody text={wanted} />
          ) : (
            <>
              <ul className="rows people" aria-label="People found">
                {people.map((person) => (
                  <li key={person.id} className="row">
                    <Link href={`/people/${encodeURIComponent(person.id)}`} className="row-link">
                      <span className="row-title">{person.id}</span>
                    </Link>
                    <span className="row-state">
                      {person.suppressed && <Badge tone="warn">suppressed</Badge>}
                      {person.devices === 0 && <Badge tone="none">no device</Badge>}
                    </span>
                    <span className="row-note muted">{count(person.devices, 'device')}</span>
                    <span className="row-when muted">
                      changed <Time at={person.updated_at} />
                    </span>
                  </li>
                ))}
              </ul>
              {is_cut && <p className="muted more">There are more: type more of the id.</p>}
            </>
          )
        }
      </Loaded>
    </>
  )
}

function Nobody({ text }: { text: string }) {
  if (text === '') {
    return (
      <Empty title="Nobody is known yet">
        <p>
          Backends and apps identify people with <code>PUT /v1/people/{'{id}'}</code> of the token
          registry.
        </p>
      </Empty>
    )
  }
  return (
    <Empty title="Nobody is known by that">
      <p>
        Ids are compared letter by letter, from their beginning, as your backend wrote them; e-mail
        addresses in any letter case. A token finds whose device it is now.
      </p>
    </Empty>
  )
}
