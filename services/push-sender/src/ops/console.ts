import { builtDirectory } from '@pushkeep/console/built'
import type { QueueBackend } from '@pushkeep/queues'
import type { NoteAttempt, Server } from '@pushkeep/runtime'
import type { Bell, Database } from '@pushkeep/store'
import { consolePages } from './pages.ts'
import { createQueueAccess, sparingly } from './queue-access.ts'
import { consoleAppRoutes } from './routes/apps.ts'
import { auditRoutes } from './routes/audit.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { deviceRoutes } from './routes/devices.ts'
import { keyRoutes } from './routes/keys.ts'
import { liveRoutes } from './routes/live.ts'
import { consoleMessageRoutes } from './routes/messages.ts'
import { overviewRoutes } from './routes/overview.ts'
import { peopleRoutes } from './routes/people.ts'
import { queueRoutes } from './routes/queues.ts'
import { sessionRoutes } from './routes/session.ts'
import { suppressionRoutes } from './routes/suppression.ts'

export interface ConsoleOptions {
  database: Database
  bell: Pick<Bell, 'ring'>
  /** Where the queues are. */
  queues: QueueBackend
  /** Where the built pages are; where `npm run build` puts them if left out. */
  pages?: string | undefined
  /** Told of tries to sign in that failed. */
  noteAttempt: NoteAttempt
  /** A fault of the queues' server or of a live reading: reported, never thrown. */
  onError: (error: Error) => void
}

/**
 * What operations see under `/ops`: the console's pages, its API under `/ops/api`, and the queue
 * dashboard. All but the pages themselves is for whoever has signed in with a secret key.
 */
export function addConsole(app: Server, options: ConsoleOptions): void {
  const { database, bell, queues, pages = builtDirectory } = options
  const onError = sparingly(options.onError)
  const now = Date.now
  const access = createQueueAccess({ backend: queues, onError })
  app.register(consolePages, { directory: pages })
  app.register(sessionRoutes, { database, noteAttempt: options.noteAttempt })
  app.register(overviewRoutes, { database, access, now })
  app.register(liveRoutes, { database, access, now, onError: (error) => onError(asError(error)) })
  app.register(consoleMessageRoutes, { database })
  app.register(peopleRoutes, { database, now })
  app.register(suppressionRoutes, { database })
  app.register(deviceRoutes, { database, bell })
  app.register(consoleAppRoutes, { database, now })
  app.register(credentialRoutes, { database, now })
  app.register(keyRoutes, { database, now })
  app.register(auditRoutes, { database })
  app.register(queueRoutes, { database, access, onError })
  app.addHook('onClose', () => access.close())
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('a reading failed')
}
