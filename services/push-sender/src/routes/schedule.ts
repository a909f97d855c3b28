import { callerOf, problemResponses } from '@pushkeep/runtime'
import type { Database } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { release } from '../message-changes.ts'
import { MessageBody, messageBody } from '../message-report.ts'

const releaseSchema = {
  summary: 'Send a scheduled message now',
  description:
    'Its time to live counts from now, and whom it is for is found out now. Answers with the ' +
    'message. One whose time had come before stays as it is; 409 for one that was never scheduled, or ' +
    'is cancelled.',
  tags: ['messages'],
  params: z.object({ id: z.string().describe('The id of the message') }),
  body: z.strictObject({}).optional(),
  response: {
    200: MessageBody,
    ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
  },
}

/** Scheduled messages, once they are accepted. */
export const scheduleRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (
  app,
  { database },
) => {
  const options = { config: { access: 'secret' }, schema: releaseSchema } as const
  app.post('/v1/messages/:id/release', options, async (request) => {
    return messageBody(await release(database, callerOf(request), request.params.id))
  })
}
