import { type Lane, NewMessage } from '@pushkeep/domain'
import {
  activeTraceparent,
  type Caller,
  callerOf,
  conflict,
  invalid,
  noteRequest,
  ProblemError,
  problemResponses,
} from '@pushkeep/runtime'
import { type Acceptance, acceptMessage, cancelMessage, findApp, type Sql } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { SenderEvents } from '../events.ts'
import { bodyHash, idempotencyKey } from '../idempotency.ts'
import { MessageBody, messageBody } from '../message-report.ts'
import { audienceProblems, laneOf } from '../new-message.ts'
import { payloadRefusal } from '../payload.ts'
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
    'larger than its provider takes.',
  tags: ['messages'],
  headers: Headers,
  body: NewMessage,
  response: {
    202: Accepted,
    ...problemResponses(400, 401, 403, 409, 413, 415, 422, 503),
  },
}

const MessageParams = z.object({ id: z.string().describe('The id that accepting it gave') })

const EmptyBody = z.strictObject({}).optional()

const getSchema = {
  summary: 'What became of a message',
  description: 'Its state and how many of its recipients stand where. The counts always add up.',
  tags: ['messages'],
  params: MessageParams,
  response: { 200: MessageBody, ...problemResponses(401, 403, 404, 503) },
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
  response: { 200: MessageBody, ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 503) },
}

/** Messages in, and where they stand. */
export const messageRoutes: FastifyPluginAsyncZod<{ database: Sql; events: SenderEvents }> = async (
  app,
  { database, events },
) => {
  app.post('/v1/messages', { config, schema: postSchema }, async (request, reply) => {
    const key = idempotencyKey(request.headers['idempotency-key'])
    const { lane, acceptance } = await accept(database, callerOf(request), request.body, key)
    events.accepted(lane, acceptance.kind)
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
    const caller = callerOf(request)
    const { id } = await visibleMessage(database, caller, request.params.id)
    const { workspaceNo, appNo } = caller
    if (!(await cancelMessage(database, { workspaceNo, appNo, id }))) {
      throw conflict('message_done', 'nothing of this message is left to cancel')
    }
    return messageBody(await visibleMessage(database, caller, id))
  })
}

async function accept(
  sql: Sql,
  caller: Caller,
  message: NewMessage,
  key: string | null,
): Promise<{ lane: Lane; acceptance: Acceptance }> {
  const problems = audienceProblems(message.to)
  if (problems.length > 0) throw invalid(problems.slice(0, 20))
  const refusal = payloadRefusal(message)
  if (refusal) throw refusal
  const appNo = await targetApp(sql, caller, message.app_id)
  const lane = laneOf(message.to)
  const acceptance = await acceptMessage(sql, {
    workspaceNo: caller.workspaceNo,
    appNo,
    message,
    lane,
    planNow: lane === 'transactional',
    traceparent: activeTraceparent(),
    // The app that it means, not whether it was named: a key may imply it.
    idempotency: key === null ? null : { key, bodyHash: bodyHash({ ...message, app_id: appNo }) },
  })
  return { lane, acceptance }
}

/** The app that a message is for; null: every app of the workspace. */
async function targetApp(
  sql: Sql,
  caller: Caller,
  appId: string | undefined,
): Promise<number | null> {
  if (appId === undefined) return caller.appNo
  const app = await findApp(sql, appId)
  if (!app || app.workspaceNo !== caller.workspaceNo) {
    throw invalid([{ path: 'app_id', message: 'is no app of this workspace' }])
  }
  if (caller.appNo !== null && caller.appNo !== app.appNo) {
    const error = { path: 'app_id', message: 'is not the app that this key is for' }
    throw new ProblemError(403, 'forbidden', {
      detail: `${error.path} ${error.message}`,
      errors: [error],
    })
  }
  return app.appNo
}
