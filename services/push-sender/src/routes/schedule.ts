import { callerOf, conflict, problemResponses } from '@pushkeep/runtime'
import { releaseMessage, type Sql } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MessageBody, messageBody } from '../message-report.ts'
import { visibleMessage } from '../visible-message.ts'

const releaseSchema = {
  summary: 'Send a scheduled message now',
  description:
    'Its time to live counts from now, and whom it is for is found out now. Answers with the ' +
    'message. One whose time had come before stays as it is; 409 for one that was never scheduled, or ' +
    'is cancelled.',
  tags: ['messages'],
  params: z.object({ id: z.string().describe('The id of the message') }),
  body: z.strictObject({}).optional(),
  response: { 200: MessageBody, ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 503) },
}

/** Scheduled messages, once they are accepted. */
export const scheduleRoutes: FastifyPluginAsyncZod<{ database: Sql }> = async (
  app,
  { database },
) => {
  const options = { config: { access: 'secret' }, schema: releaseSchema } as const
  app.post('/v1/messages/:id/release', options, async (request) => {
    const caller = callerOf(request)
    const { workspaceNo, appNo } = caller
    const { id } = await visibleMessage(database, caller, request.params.id)
    const release = await releaseMessage(database, { workspaceNo, appNo, id })
    if (release === 'not-scheduled') throw conflict('not_scheduled', 'it was for at once')
    if (release === 'cancelled') throw conflict('message_cancelled', 'it is cancelled')
    return messageBody(await visibleMessage(database, caller, id))
  })
}
