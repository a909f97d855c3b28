import type { FastifyInstance } from 'fastify'
import { type PipelinesDeps, pipelinesRoutes } from './pipelines/routes.ts'
import { type TrackDeps, trackV1Routes } from './track/routes-v1.ts'
import { trackV2Routes } from './track/routes-v2.ts'
import { refuseUnknownRoute, speakTrack } from './track/scope.ts'

/**
 * Customer.io's own APIs, for clients that know no other: Track v1 and v2, and Pipelines. Thin
 * translations onto the commands of the native routes; docs/customerio.md says what differs. Left out
 * of the OpenAPI document: whoever writes a new client has the native routes.
 */
export function speakCustomerio(app: FastifyInstance, deps: TrackDeps & PipelinesDeps): void {
  app.register((scope, _options, done) => {
    speakTrack(scope)
    trackV1Routes(scope, deps)
    trackV2Routes(scope, deps)
    done()
  })
  app.register(
    (scope, _options, done) => {
      scope.setNotFoundHandler(refuseUnknownRoute)
      done()
    },
    { prefix: '/api' },
  )
  app.register((scope, _options, done) => {
    pipelinesRoutes(scope, deps)
    done()
  })
}
