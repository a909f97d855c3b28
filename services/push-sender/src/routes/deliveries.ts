import { deliveryStatuses, PersonId } from '@pushkeep/domain'
import { type Caller, callerOf, invalid, notFound, problemResponses } from '@pushkeep/runtime'
import {
  appsOf,
  type DeliveryPage,
  deliveriesOfMessage,
  deliveriesOfPerson,
  type Sql,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { readCursor, writeCursor } from '../cursor.ts'
import { visibleMessage } from '../visible-message.ts'

const limitMax = 500
const limitDefault = 100
const limitRule = `must be a whole number between 1 and ${limitMax}`
const isLimit = (limit: number) => limit >= 1 && limit <= limitMax

const Page = z.strictObject({
  limit: z
    .string()
    .refine((text) => /^\d{1,3}$/.test(text) && isLimit(Number(text)), limitRule)
    .transform(Number)
    .optional()
    .describe(`At most so many, ${limitDefault} if left out`)
    .meta({ type: 'integer', minimum: 1, maximum: limitMax }),
  cursor: z.string().max(200).optional().describe('`next_cursor` of the page before'),
  status: z.enum(deliveryStatuses).optional().describe('Only deliveries that stand so'),
})

const Delivery = z
  .object({
    message_id: z.uuid(),
    person_id: z.string().nullable().describe('Whose device it was; null: nobody’s'),
    device: z.string().nullable().describe('Its token; null once it was deleted'),
    platform: z.enum(['ios', 'android']).nullable(),
    status: z.enum(deliveryStatuses),
    reason: z.string().nullable().describe('Why, where it was not sent'),
    attempts: z.int(),
    at: z.iso.datetime().describe('When it was settled; a pending one: when it is tried again'),
  })
  .meta({ id: 'Delivery' })

const Deliveries = z.object({
  deliveries: z.array(Delivery),
  next_cursor: z.string().nullable().describe('Where the next page begins; null at the end'),
})

const config = { access: 'secret' } as const
const response = { 200: Deliveries, ...problemResponses(401, 403, 404, 422, 503) }

const ofMessageSchema = {
  summary: 'Deliveries of a message',
  description:
    'One row a device that was tried or withheld, a page at a time. A recipient whose turn has ' +
    'not come has none yet: the counts of the message have it as pending.',
  tags: ['deliveries'],
  params: z.object({ id: z.string().describe('The id of the message') }),
  querystring: Page,
  response,
}

const ofPersonSchema = {
  summary: 'Deliveries to a person',
  description: 'What was sent to the devices of a person, the newest message first.',
  tags: ['deliveries'],
  params: z.object({ id: PersonId }),
  querystring: Page,
  response,
}

/** What became of each delivery, by message and by person. */
export const deliveryRoutes: FastifyPluginAsyncZod<{ database: Sql }> = async (
  app,
  { database },
) => {
  const byMessage = { config, schema: ofMessageSchema }
  app.get('/v1/messages/:id/deliveries', byMessage, async (request) => {
    const { cursor, limit = limitDefault, status = null } = request.query
    const caller = callerOf(request)
    const message = await visibleMessage(database, caller, request.params.id)
    const list = ['message', caller.workspaceNo, message.id, status]
    const page = await deliveriesOfMessage(database, {
      appNos: await appNosOf(database, caller),
      messageNo: message.messageNo,
      status,
      after: place(list, cursor),
      limit,
    })
    return deliveriesBody(list, page)
  })

  const byPerson = { config, schema: ofPersonSchema }
  app.get('/v1/people/:id/deliveries', byPerson, async (request) => {
    const { cursor, limit = limitDefault, status = null } = request.query
    const caller = callerOf(request)
    const { workspaceNo, appNo } = caller
    const personId = request.params.id
    const list = ['person', workspaceNo, personId, status]
    const page = await deliveriesOfPerson(database, {
      workspaceNo,
      appNos: await appNosOf(database, caller),
      appNo,
      personId,
      status,
      after: place(list, cursor),
      limit,
    })
    if (!page) throw notFound('unknown_person', 'there is no person with this id')
    return deliveriesBody(list, page)
  })
}

/** Where a page begins; null at the beginning. */
function place(list: readonly unknown[], cursor: string | undefined): string | null {
  if (cursor === undefined) return null
  const after = readCursor(list, cursor)
  if (after === null) throw invalid([{ path: 'cursor', message: 'is no cursor of this list' }])
  return after
}

function deliveriesBody(list: readonly unknown[], page: DeliveryPage): z.infer<typeof Deliveries> {
  return {
    deliveries: page.deliveries.map((delivery) => ({
      message_id: delivery.messageId,
      person_id: delivery.personId,
      device: delivery.token,
      platform: delivery.platform,
      status: delivery.status,
      reason: delivery.reason,
      attempts: delivery.attempts,
      at: delivery.at.toISOString(),
    })),
    next_cursor: page.next === null ? null : writeCursor(list, page.next),
  }
}

/** The apps whose devices the caller may see. */
async function appNosOf(sql: Sql, { workspaceNo, appNo }: Caller): Promise<number[]> {
  if (appNo !== null) return [appNo]
  return (await appsOf(sql, workspaceNo)).map((app) => app.appNo)
}
