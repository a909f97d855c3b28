import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { ApiError, call } from './api/client.ts'
import { useSignedIn } from './session.tsx'
import { Button } from './ui/button.tsx'
import { Icon, type IconName } from './ui/icon.tsx'
import { ThemeButton } from './ui/theme.tsx'

const pages: { path: string; label: string; icon: IconName }[] = [
  { path: '/', label: 'Overview', icon: 'overview' },
  { path: '/messages', label: 'Messages', icon: 'messages' },
  { path: '/people', label: 'People', icon: 'people' },
  { path: '/apps', label: 'Apps', icon: 'apps' },
  { path: '/keys', label: 'Keys', icon: 'keys' },
  { path: '/audit', label: 'Audit log', icon: 'audit' },
]

/** What is around every page: the menu, who is signed in, the way to the content. */
export function Frame({ children }: { children: ReactNode }) {
  const [location] = useLocation()
  const [isMenuOpen, setIsMenuOpen] = useState(false)
  const main = useRef<HTMLElement>(null)
  const { key } = useSignedIn()
  const page = pages.findLast(({ path }) => isWithin(location, path))

  // Another page begins at its top, and a screen reader is told.
  const before = useRef(location)
  useEffect(() => {
    document.title = page ? `${page.label} · Pushkeep` : 'Pushkeep'
    if (before.current === location) return
    before.current = location
    setIsMenuOpen(false)
    window.scrollTo(0, 0)
    main.current?.focus()
  }, [location, page])

  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="side">
        <div className="side-top">
          <Link href="/" className="brand">
            <img src="/ops/icon.svg" alt="" width="22" height="22" />
            Pushkeep
          </Link>
          <span className="menu-button">
            <Button
              look="quiet"
              aria-expanded={isMenuOpen}
              aria-controls="menu"
              aria-label="Menu"
              onClick={() => setIsMenuOpen(!isMenuOpen)}
            >
              <Icon name={isMenuOpen ? 'close' : 'menu'} />
            </Button>
          </span>
        </div>
        <div id="menu" className={isMenuOpen ? 'menu open' : 'menu'}>
          <nav aria-label="Pages">
            <ul>
              {pages.map(({ path, label, icon }) => (
                <li key={path}>
                  <Link href={path} aria-current={page?.path === path ? 'page' : undefined}>
                    <Icon name={icon} />
                    {label}
                  </Link>
                </li>
              ))}
              {key.is_installation && (
                <li>
                  <a href="/ops/queues">
                    <Icon name="queues" />
                    Queues
                    <Icon name="external" />
                  </a>
                </li>
              )}
            </ul>
          </nav>
          <Who />
        </div>
      </header>
      <main id="content" ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  )
}

function isWithin(location: string, path: string): boolean {
  return path === '/' ? location === '/' : location === path || location.startsWith(`${path}/`)
}

function Who() {
  const { key, workspace, app } = useSignedIn()
  const [error, setError] = useState<string>()
  async function signOut() {
    try {
      await call('DELETE', 'session')
    } catch (cause) {
      // With no answer the session goes on, and whoever leaves the machine has to know.
      if (!(cause instanceof ApiError && cause.code === 'signed_out')) {
        setError('You are still signed in: the server did not answer. Try again.')
        return
      }
    }
    // A new document: nothing that was read is left in this one.
    window.location.replace('/ops/sign-in')
  }
  return (
    <div className="who">
      <p className="who-name">
        {workspace.name}
        {app && <span className="muted"> · {app.name}</span>}
      </p>
      <p className="muted">
        {key.name} · {key.role}
      </p>
      <div className="who-tools">
        <ThemeButton />
        <Button look="quiet" onClick={() => void signOut()}>
          <Icon name="signOut" />
          Sign out
        </Button>
      </div>
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  )
}
