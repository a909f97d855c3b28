import { callerOf } from '@pushkeep/runtime'
import { type Database, findSession } from '@pushkeep/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { visibleMessage } from '../../visible-message.ts'
import { sessionSecretOf } from '../cookies.ts'
import { createHub, type Feed } from '../live/hub.ts'
import { createStreams } from '../live/streams.ts'
import { readMessage } from '../message-view.ts'
import { readOverview } from '../overview.ts'
import type { QueueAccess } from '../queue-access.ts'
import { scopeOfCaller } from '../scope.ts'

export interface LiveRoutesDeps {
  database: Database
  access: QueueAccess
  now: () => number
  /** A reading that failed: reported, never thrown. */
  onError: (error: unknown) => void
}

const overviewEveryMs = 2000
const sendingEveryMs = 1000
const doneEveryMs = 5000

const config = { access: 'session' } as const
const hide = true

/** Live states as server-sent events: of the overview, and of one message. */
export const liveRoutes: FastifyPluginAsyncZod<LiveRoutesDeps> = async (
  app,
  { database, access, now, onError },
) => {
  const hub = createHub({ retryMs: 3000, onError })
  const streams = createStreams({
    hub,
    streamsMax: 200,
    perWorkspaceMax: 50,
    perKeyMax: 25,
    perSessionMax: 10,
    heartbeatMs: 15_000,
  })

  function open(request: FastifyRequest, reply: FastifyReply, feed: Feed): void {
    const session = sessionSecretOf(request) ?? ''
    const seen = request.headers['last-event-id']
    const { workspaceNo, keyId } = callerOf(request)
    const watcher = { workspaceNo, keyId, session }
    streams.admit(watcher)
    reply.hijack()
    streams.stream(reply.raw, {
      feed,
      watcher,
      stillHolds: async () => (await findSession(database, session)) !== null,
      lastEventId: typeof seen === 'string' ? seen : null,
    })
  }

  app.get('/ops/api/live/overview', { config, schema: { hide } }, async (request, reply) => {
    const caller = callerOf(request)
    open(request, reply, {
      key: `overview ${caller.workspaceNo} ${caller.appNo} ${caller.isInstallation}`,
      async read() {
        const scope = await scopeOfCaller(database, caller)
        return {
          value: await readOverview(database, access, scope, now()),
          nextMs: overviewEveryMs,
        }
      },
    })
  })

  const params = z.object({ id: z.string() })
  app.get(
    '/ops/api/live/messages/:id',
    { config, schema: { hide, params } },
    async (request, reply) => {
      const caller = callerOf(request)
      const { id } = await visibleMessage(database, caller, request.params.id)
      open(request, reply, {
        key: `message ${caller.workspaceNo} ${caller.appNo} ${id}`,
        async read() {
          const value = await readMessage(database, await visibleMessage(database, caller, id))
          return { value, nextMs: value.state === 'done' ? doneEveryMs : sendingEveryMs }
        },
      })
    },
  )

  // Before the server waits for its connections to end: these would not.
  app.addHook('preClose', async () => streams.close())
}
