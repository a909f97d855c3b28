import { NewMessage } from '@pushkeep/domain'
import { callerOf, conflict, noteRequest, problemResponses } from '@pushkeep/runtime'
import type { Database } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Accept, acceptable } from '../accept.ts'
import type { SenderEvents } from '../events.ts'
import { idempotencyKey } from '../idempotency.ts'
import { cancel } from '../message-changes.ts'
import { limitMessage } from '../message-limits.ts'
import { MessageBody, messageBody } from '../message-report.ts'
import { visibleMessage } from '../visible-message.ts'

const config = { access: 'secret' } as const

const Headers = z.looseObject({
  'idempotency-key': z
    .string()
    .optional()
    .describe('1 to 255 visible ASCII characters: the same key again is the same message'),
})

const Accepted = z.object({ id: z.uuid() }).meta({
  description: 'Accepted and committed',
  headers: {
    Location: { type: 'string', description: 'Where the message can be read' },
    'Idempotent-Replayed': { type: 'string', description: '`true`: the key came before' },
  },
})

const postSchema = {
  summary: 'Send a message',
  description:
    'Accepts a message for people, tokens or everyone. 202 means that it is committed and will be ' +
    'sent; its id is in the body and in `Location`. With an `Idempotency-Key`, the same request ' +
    'again gets the same id (`Idempotent-Replayed: true`) and sends nothing, another body gets ' +
    '409. Unknown people and tokens are no recipients. 413 names the field that makes the push ' +
    'larger than its provider takes. With `send_at` it waits as `scheduled` until then.',
  tags: ['messages'],
  headers: Headers,
  body: NewMessage,
  response: {
    202: Accepted,
    ...problemResponses(400, 401, 403, 409, 413, 415, 422, 429, 503),
  },
}

const MessageParams = z.object({ id: z.string().describe('The id that accepting it gave') })

const EmptyBody = z.strictObject({}).optional()

const getSchema = {
  summary: 'What became of a message',
  description: 'Its state and how many of its recipients stand where. The counts always add up.',
  tags: ['messages'],
  params: MessageParams,
  response: { 200: MessageBody, ...problemResponses(401, 403, 404, 429, 503) },
}

const cancelSchema = {
  summary: 'Cancel a message',
  description:
    'Whoever has not been sent to gets nothing: those deliveries are `suppressed` with the reason ' +
    '`cancelled`. What a worker is about to send, a second ahead at most, still leaves. Cancelling ' +
    'again changes nothing; 409 where all of it was settled already.',
  tags: ['messages'],
  params: MessageParams,
  body: EmptyBody,
  response: {
    200: MessageBody,
    ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
  },
}

interface Deps {
  database: Database
  accept: Accept
  events: SenderEvents
}

/** Messages in, and where they stand. */
export const messageRoutes: FastifyPluginAsyncZod<Deps> = async (app, deps) => {
  const { database, accept, events } = deps
  app.post('/v1/messages', { config, schema: postSchema }, async (request, reply) => {
    const key = idempotencyKey(request.headers['idempotency-key'])
    limitMessage(request, request.body)
    const accepted = await acceptable(database, callerOf(request), request.body, key)
    const acceptance = await accept(accepted)
    events.accepted(accepted.lane, acceptance.kind)
    if (acceptance.kind === 'conflict') {
      throw conflict('idempotency_conflict', 'this Idempotency-Key came with another body before')
    }
    if (acceptance.kind === 'repeated') reply.header('idempotent-replayed', 'true')
    const { id } = acceptance
    noteRequest(request, { message_id: id })
    return reply.code(202).header('location', `/v1/messages/${id}`).send({ id })
  })

  app.get('/v1/messages/:id', { config, schema: getSchema }, async (request) => {
    const report = await visibleMessage(database, callerOf(request), request.params.id)
    return messageBody(report)
  })

  app.post('/v1/messages/:id/cancel', { config, schema: cancelSchema }, async (request) => {
    return messageBody(await cancel(database, callerOf(request), request.params.id))
  })
}
