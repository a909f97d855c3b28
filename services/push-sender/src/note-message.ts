import { noteRequest } from '@pushkeep/runtime'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'

const Params = z.object({ id: z.uuid() })

/** Tells in a request's line which message its path names. */
export function noteMessages(app: FastifyInstance): void {
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.routeOptions.url?.startsWith('/v1/messages/:id')) {
      const { data } = Params.safeParse(request.params)
      if (data) noteRequest(request, { message_id: data.id })
    }
    done()
  })
}
