import { messageStates } from '@pushkeep/domain'
import { callerOf, problemResponses } from '@pushkeep/runtime'
import { readMessages, type Sql } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { writeCursor } from '../cursor.ts'
import { MessageBody, messageBody } from '../message-report.ts'
import { pageQuery, placeOf } from '../paging.ts'
import { targetApp } from '../target-app.ts'

const listSchema = {
  summary: 'List messages',
  description:
    'Newest first, by pages. A scheduled message stands where it was accepted and, once its ' +
    'sending begins, where that began. A page with a filter may be short, or empty, and not be ' +
    'the last: go on while there is a `next_cursor`.',
  tags: ['messages'],
  querystring: z.strictObject({
    ...pageQuery({ limitMax: 100, limitDefault: 50 }),
    state: z.enum(messageStates).optional().describe('Only messages that stand so'),
    app_id: z.uuid().optional().describe('Only messages for this app'),
  }),
  response: {
    200: z.object({
      messages: z.array(MessageBody),
      next_cursor: z.string().nullable().describe('Where the next page begins; null at the end'),
    }),
    ...problemResponses(401, 403, 422, 429, 503),
  },
}

/** Messages as a list. */
export const messageListRoutes: FastifyPluginAsyncZod<{ database: Sql }> = async (
  app,
  { database },
) => {
  const options = { config: { access: 'secret' }, schema: listSchema } as const
  app.get('/v1/messages', options, async (request) => {
    const { cursor, limit, state = null, app_id } = request.query
    const caller = callerOf(request)
    const { workspaceNo } = caller
    const appNo = await targetApp(database, caller, app_id)
    const list = ['messages', workspaceNo, state, appNo]
    const before = placeOf(list, cursor)
    const page = await readMessages(database, { workspaceNo, appNo, state, before, limit })
    return {
      messages: page.messages.map(messageBody),
      next_cursor: page.next === null ? null : writeCursor(list, page.next),
    }
  })
}
