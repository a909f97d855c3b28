import { lazy, Suspense } from 'react'
import { Link, Redirect, Route, Router, Switch, useLocation } from 'wouter'
import { useSession } from './api/queries.ts'
import { Frame } from './frame.tsx'
import { OverviewPage } from './pages/overview/page.tsx'
import { SignInPage } from './pages/sign-in.tsx'
import { SessionProvider } from './session.tsx'
import { Boundary } from './ui/boundary.tsx'
import { Empty, ErrorNotice, Waiting } from './ui/states.tsx'

const MessagesPage = lazy(() => import('./pages/messages/list.tsx'))
const MessagePage = lazy(() => import('./pages/messages/page.tsx'))
const PeoplePage = lazy(() => import('./pages/people/search.tsx'))
const PersonPage = lazy(() => import('./pages/people/page.tsx'))
const AppsPage = lazy(() => import('./pages/apps/page.tsx'))
const KeysPage = lazy(() => import('./pages/keys.tsx'))
const AuditPage = lazy(() => import('./pages/audit.tsx'))

/** The console: its pages for whoever has signed in, the sign-in for everybody else. */
export function App() {
  const session = useSession()
  if (session.data === undefined) {
    return (
      <main className="alone">
        {session.error ? (
          <ErrorNotice error={session.error} onRetry={() => void session.refetch()} />
        ) : (
          <Waiting />
        )}
      </main>
    )
  }
  return (
    <Router base="/ops">
      {session.data === null ? (
        <SignInPage />
      ) : (
        <SessionProvider session={session.data}>
          <Frame>
            <Pages />
          </Frame>
        </SessionProvider>
      )}
    </Router>
  )
}

function Pages() {
  const [place] = useLocation()
  return (
    <Boundary key={place}>
      <Suspense fallback={<Waiting />}>
        <Routes />
      </Suspense>
    </Boundary>
  )
}

function Routes() {
  return (
    <Switch>
      <Route path="/" component={OverviewPage} />
      <Route path="/sign-in">
        <Redirect to="/" replace />
      </Route>
      <Route path="/messages" component={MessagesPage} />
      <Route path="/messages/:id">{({ id }) => <MessagePage key={id} id={id} />}</Route>
      <Route path="/people" component={PeoplePage} />
      <Route path="/people/:id">{() => <PersonPage key={lastPart()} id={lastPart()} />}</Route>
      <Route path="/apps" component={AppsPage} />
      <Route path="/keys" component={KeysPage} />
      <Route path="/audit" component={AuditPage} />
      <Route>
        <header className="page-head">
          <h1>There is no such page</h1>
        </header>
        <Empty title="Nothing is at this address">
          <p>
            The console’s pages are in the menu. <Link href="/">Go to the overview</Link>
          </p>
        </Empty>
      </Route>
    </Switch>
  )
}

/** The last part of the address, decoded. The router's own is half decoded: an id may hold a `%`. */
function lastPart(): string {
  const part = window.location.pathname.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
