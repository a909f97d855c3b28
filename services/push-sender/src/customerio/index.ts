import {
  createIdentifier,
  createPersonFinder,
  createRegistrar,
  type Database,
} from '@pushkeep/store'
import type { FastifyInstance } from 'fastify'
import type { Accept } from '../accept.ts'
import type { SenderEvents } from '../events.ts'
import { refuseAbsent } from './routes/absent.ts'
import { activityRoutes } from './routes/activities.ts'
import { deliveryPaths, messageListRoutes, messageRoutes } from './routes/messages.ts'
import { peopleRoutes } from './routes/people.ts'
import { sendRoutes } from './routes/send.ts'
import { refuseAsAppApi, refuseUnknownRoute } from './scope.ts'
import { refusingSeveral } from './several.ts'

/**
 * Customer.io's App API, for clients that know no other: a thin translation onto the native commands.
 * All of it stands below `/customerio/v1`; all but the list of messages also where Customer.io has
 * it, below `/v1`. docs/customerio.md says what differs, docs/decisions/0053 why there are two places.
 */
export function speakAppApi(
  app: FastifyInstance,
  { database, accept, events }: { database: Database; accept: Accept; events: SenderEvents },
): void {
  const deps = {
    database,
    accept,
    events,
    findPersonId: refusingSeveral(createPersonFinder(database)),
    identify: createIdentifier(database),
    register: createRegistrar(database),
  }
  const places = [
    { prefix: '/customerio/v1', hide: false, deliveryPath: deliveryPaths.alone },
    { prefix: '/v1', hide: true, deliveryPath: deliveryPaths.besideNative },
  ]
  for (const { prefix, hide, deliveryPath } of places) {
    app.register(
      (scope, _options, done) => {
        refuseAsAppApi(scope)
        scope.register(sendRoutes, { ...deps, hide })
        scope.register(peopleRoutes, { ...deps, hide })
        scope.register(activityRoutes, { ...deps, hide })
        scope.register(messageRoutes, { ...deps, hide, deliveryPath })
        refuseAbsent(scope)
        if (!hide) {
          scope.register(messageListRoutes, deps)
          scope.setNotFoundHandler(refuseUnknownRoute)
        }
        done()
      },
      { prefix },
    )
  }
}
