import type { Session } from '@pushkeep/console-api'
import { createContext, type ReactNode, useContext } from 'react'

const SessionContext = createContext<Session | null>(null)

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <SessionContext value={session}>{children}</SessionContext>
}

/** Who is signed in; inside of the console somebody always is. */
export function useSignedIn(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('nobody is signed in here')
  return session
}

const order = ['read', 'operate', 'admin']

/** Whether whoever is signed in may do what needs a role. The server decides; this hides buttons. */
export function useMay(role: 'operate' | 'admin'): boolean {
  const { key } = useSignedIn()
  return order.indexOf(key.role) >= order.indexOf(role)
}

/** Whether what is done to a person as a whole may be asked for: a key for one app may not. */
export function useMayReachAllApps(): boolean {
  return useSignedIn().app === null
}
