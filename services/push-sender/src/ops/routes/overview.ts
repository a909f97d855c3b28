import { Overview } from '@pushkeep/console-api'
import type { Database } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { readOverview } from '../overview.ts'
import type { QueueAccess } from '../queue-access.ts'
import { scopeOf } from '../scope.ts'

export interface OverviewRoutesDeps {
  database: Database
  access: QueueAccess
  now: () => number
}

/** Whether push works, and if not, why. */
export const overviewRoutes: FastifyPluginAsyncZod<OverviewRoutesDeps> = async (
  app,
  { database, access, now },
) => {
  app.get(
    '/ops/api/overview',
    { config: { access: 'session' }, schema: { hide: true, response: { 200: Overview } } },
    async (request) => readOverview(database, access, await scopeOf(database, request), now()),
  )
}
