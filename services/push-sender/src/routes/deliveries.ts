import { deliveryStatuses, KnownPersonId } from '@pushkeep/domain'
import { type Caller, callerOf, notFound, problemResponses } from '@pushkeep/runtime'
import {
  appsOf,
  type DeliveryPage,
  type DeliveryReport,
  deliveriesOfMessage,
  deliveriesOfPerson,
  type Sql,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { writeCursor } from '../cursor.ts'
import { pageQuery, placeOf } from '../paging.ts'
import { visibleMessage } from '../visible-message.ts'

const Page = z.strictObject({
  ...pageQuery({ limitMax: 500, limitDefault: 100 }),
  status: z.enum(deliveryStatuses).optional().describe('Only deliveries that stand so'),
})

const Seen = z.iso.datetime().nullable()

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
    receipts: z
      .object({ delivered: Seen, opened: Seen, clicked: Seen, converted: Seen })
      .describe('When the phone saw each, by its own report; null: it reported none'),
  })
  .meta({ id: 'Delivery' })

const Deliveries = z.object({
  deliveries: z.array(Delivery),
  next_cursor: z.string().nullable().describe('Where the next page begins; null at the end'),
})

const config = { access: 'secret' } as const
const response = { 200: Deliveries, ...problemResponses(401, 403, 404, 422, 429, 503) }

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
  params: z.object({ id: KnownPersonId }),
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
    const { cursor, limit, status = null } = request.query
    const caller = callerOf(request)
    const message = await visibleMessage(database, caller, request.params.id)
    const list = ['message', caller.workspaceNo, message.id, status]
    const page = await deliveriesOfMessage(database, {
      appNos: await appNosOf(database, caller),
      messageNo: message.messageNo,
      status,
      after: placeOf(list, cursor),
      limit,
    })
    return deliveriesBody(list, page)
  })

  const byPerson = { config, schema: ofPersonSchema }
  app.get('/v1/people/:id/deliveries', byPerson, async (request) => {
    const { cursor, limit, status = null } = request.query
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
      after: placeOf(list, cursor),
      limit,
    })
    if (!page) throw notFound('unknown_person', 'there is no person with this id')
    return deliveriesBody(list, page)
  })
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
      receipts: seenOf(delivery.receipts),
    })),
    next_cursor: page.next === null ? null : writeCursor(list, page.next),
  }
}

function seenOf({ delivered, opened, clicked, converted }: DeliveryReport['receipts']) {
  const time = (at: Date | null) => at?.toISOString() ?? null
  return {
    delivered: time(delivered),
    opened: time(opened),
    clicked: time(clicked),
    converted: time(converted),
  }
}

/** The apps whose devices the caller may see. */
async function appNosOf(sql: Sql, { workspaceNo, appNo }: Caller): Promise<number[]> {
  if (appNo !== null) return [appNo]
  return (await appsOf(sql, workspaceNo)).map((app) => app.appNo)
}
