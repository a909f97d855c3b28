import type { Session } from '@pushkeep/console-api'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ApiError, call, setCsrfToken } from '../api/client.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { ThemeButton } from '../ui/theme.tsx'

/** The queue dashboard is no page of ours: it leads here and wants its visitor back. */
const dashboard = '/ops/queues'

/** Signing in with a secret key. */
export function SignInPage() {
  const client = useQueryClient()
  const [key, setKey] = useState('')
  const [error, setError] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)

  async function signIn(event: FormEvent) {
    event.preventDefault()
    setIsBusy(true)
    setError(undefined)
    try {
      const session = await call<Session>('POST', 'session', { key: key.trim() })
      const next = new URLSearchParams(window.location.search).get('next')
      if (next === dashboard || next?.startsWith(`${dashboard}/`)) {
        window.location.assign(next)
        return
      }
      setCsrfToken(session.csrf_token)
      // What another session read before, perhaps in another workspace, is not for this one.
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
      client.setQueryData(['session'], session)
    } catch (cause) {
      setError(messageOf(cause))
      setIsBusy(false)
    }
  }

  return (
    <main className="alone">
      <form className="sign-in card" onSubmit={(event) => void signIn(event)}>
        <p className="brand">
          <img src="/ops/icon.svg" alt="" width="28" height="28" />
          Pushkeep
        </p>
        <h1>Sign in</h1>
        <Field label="Secret key" error={error}>
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              name="key"
              autoComplete="current-password"
              spellCheck={false}
              placeholder="pushkeep_sk_…"
              required
              // biome-ignore lint/a11y/noAutofocus: the page has one purpose, and this is it
              autoFocus
              value={key}
              onChange={(event) => setKey(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" look="main" isBusy={isBusy}>
          Sign in
        </Button>
        <details className="sign-in-help">
          <summary>Where do I get a key?</summary>
          <p>On the machine that Pushkeep runs on:</p>
          <pre>npx pushkeep key create --kind secret --role read</pre>
          <p>
            <code>read</code> looks, <code>operate</code> also sends tests, cancels and resumes,{' '}
            <code>admin</code> also manages keys and credentials. <code>./scripts/start</code>{' '}
            prints an admin’s key.
          </p>
          <p>
            The queues hold the jobs of every workspace: with <code>--installation</code> a key
            shows them, too.
          </p>
        </details>
      </form>
      <div className="alone-foot">
        <ThemeButton />
      </div>
    </main>
  )
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof ApiError)) return 'Something went wrong: try again.'
  switch (cause.code) {
    case 'wrong_key':
      return 'There is no such key, or it is revoked.'
    case 'key_expired':
      return 'This key has ended. Sign in with another one.'
    case 'address_not_allowed':
      return 'This key is not for the address that you come from.'
    case 'public_key':
      return 'This is a public key, for mobile apps. Sign in with a secret one (pushkeep_sk_…).'
    case 'foreign_origin':
      return 'The server does not know this address as its own. Is the proxy passing the Host header on?'
    default:
      return cause.message
  }
}
