import { messageIdOf } from '@pushkeep/domain'
import { type Caller, callerOf, notFound } from '@pushkeep/runtime'
import {
  appsOf,
  deliveriesOfMessage,
  type MessageReport,
  messagesOfPerson,
  namesOfPerson,
  readMessages,
  type Sql,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { writeCursor } from '../../cursor.ts'
import { visibleMessage } from '../../visible-message.ts'
import { IdType } from '../identifiers.ts'
import { MessageAnswer, messageAnswer } from '../message-answer.ts'
import { appApiPage, startOf, TimeBound } from '../paging.ts'
import { refusals } from '../scope.ts'
import { type PeopleDeps, PersonParams, personOf } from './people.ts'

const tags = ['app api']
const secret = { access: 'secret' } as const

const Messages = z.object({
  messages: z.array(MessageAnswer),
  next: z.string().describe('`start` of the next page; empty at the end'),
})

const ofPersonSchema = {
  summary: 'Messages of a person',
  description:
    'What was sent to their devices or withheld from them, newest first: one entry a message, ' +
    'whatever number of devices it went to.',
  tags,
  params: PersonParams,
  querystring: z.strictObject({
    id_type: IdType,
    ...appApiPage({ limitMax: 1000, limitDefault: 50 }),
    start_ts: TimeBound,
    end_ts: TimeBound,
  }),
  response: { 200: Messages, ...refusals(400, 401, 403, 404, 414, 429, 503) },
}

const readSchema = {
  summary: 'What became of a message',
  description: '`delivery_id` is that of the answer to `POST /v1/send/push`, or a message id.',
  tags,
  params: z.object({ delivery_id: z.string() }),
  response: { 200: z.object({ message: MessageAnswer }), ...refusals(401, 403, 404, 429, 503) },
}

const listSchema = {
  summary: 'List messages',
  description: 'Newest first, one entry a message. There are pushes and nothing else.',
  tags,
  querystring: z.strictObject({
    ...appApiPage({ limitMax: 100, limitDefault: 50 }),
    type: z.enum(['push'], 'must be push').optional(),
  }),
  response: { 200: Messages, ...refusals(400, 401, 403, 429, 503) },
}

/** Messages of a person, and one by its delivery id. */
export const messageRoutes: FastifyPluginAsyncZod<PeopleDeps & { deliveryPath: string }> = async (
  app,
  deps,
) => {
  const { database, hide, deliveryPath } = deps

  app.get(
    '/customers/:id/messages',
    { config: secret, schema: { ...ofPersonSchema, hide } },
    async (request) => {
      const caller = callerOf(request)
      const { id_type, start, limit, start_ts, end_ts } = request.query
      const customer = await personOf(deps, caller, request.params.id, id_type)
      const list = [
        'app-api-messages',
        caller.workspaceNo,
        id_type,
        request.params.id,
        start_ts,
        end_ts,
      ]
      const page = await messagesOfPerson(database, {
        personNo: customer.personNo,
        appNos: await appNosOf(database, caller),
        appNo: caller.appNo,
        before: startOf(list, start),
        fromMs: start_ts ?? null,
        toMs: end_ts ?? null,
        limit,
      })
      return {
        messages: page.messages.map((message) => messageAnswer({ ...message, customer })),
        next: page.next === null ? '' : writeCursor(list, page.next),
      }
    },
  )

  app.get(deliveryPath, { config: secret, schema: { ...readSchema, hide } }, async (request) => {
    const { delivery_id } = request.params
    const id = messageIdOf(delivery_id)
    if (id === null) throw notFound('unknown_message', 'there is no message with this id')
    const caller = callerOf(request)
    const report = await visibleMessage(database, caller, id)
    return { message: await shown(database, caller, report) }
  })
}

/** The list of all messages; its path is taken by the native one where there is no prefix. */
export const messageListRoutes: FastifyPluginAsyncZod<Pick<PeopleDeps, 'database'>> = async (
  app,
  { database },
) => {
  app.get('/messages', { config: secret, schema: listSchema }, async (request) => {
    const caller = callerOf(request)
    const { workspaceNo, appNo } = caller
    const { start, limit } = request.query
    const list = ['app-api-all-messages', workspaceNo, appNo]
    const page = await readMessages(database, {
      workspaceNo,
      appNo,
      state: null,
      before: startOf(list, start),
      limit,
    })
    const messages = page.messages.map((report) => shown(database, caller, report))
    return {
      messages: await Promise.all(messages),
      next: page.next === null ? '' : writeCursor(list, page.next),
    }
  })
}

/** Most devices of a message that are shown with it. */
const devicesMax = 100

async function shown(sql: Sql, caller: Caller, report: MessageReport): Promise<MessageAnswer> {
  const { id, messageNo, createdAt, content, audience } = report
  const appNos = await appNosOf(sql, caller)
  const query = { appNos, messageNo, status: null, after: null, limit: devicesMax }
  const { deliveries } = await deliveriesOfMessage(sql, query)
  const { workspaceNo } = caller
  const customer =
    audience.person_id === undefined
      ? null
      : await namesOfPerson(sql, { workspaceNo, id: audience.person_id })
  const title = content.content?.title ?? null
  return messageAnswer({ id, title, createdAt, deliveries, customer })
}

/** The apps whose devices the caller may see. */
async function appNosOf(sql: Sql, { workspaceNo, appNo }: Caller): Promise<number[]> {
  if (appNo !== null) return [appNo]
  return (await appsOf(sql, workspaceNo)).map((app) => app.appNo)
}

/** The paths by which one message is read: where the native route is, by the form of the id alone. */
export const deliveryPaths = {
  alone: '/messages/:delivery_id',
  besideNative: '/messages/:delivery_id(^[A-Za-z0-9_-]{22}$)',
} as const
