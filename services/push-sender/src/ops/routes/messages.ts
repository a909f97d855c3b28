import { DeliveryList, Message, MessageList } from '@pushkeep/console-api'
import { deliveryStatuses } from '@pushkeep/domain'
import { callerOf, invalid } from '@pushkeep/runtime'
import { type Database, listMessages, scanDeliveries } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { cancel, release } from '../../message-changes.ts'
import { visibleMessage } from '../../visible-message.ts'
import { listedBody, readMessage } from '../message-view.ts'
import { scopeOf } from '../scope.ts'

const messagesPerPage = 50
const deliveriesPerPage = 50

const config = { access: 'session' } as const
const hide = true

/** A number of ours that a page gives back: where to go on. */
const Place = z.string().regex(/^\d{1,19}$/, 'must be the next of a page')

const ListQuery = z.strictObject({
  only: z.enum(['bulk', 'scheduled']).optional(),
  before: Place.optional(),
})
const DeliveryQuery = z.strictObject({
  status: z.enum(deliveryStatuses).optional(),
  after: Place.optional(),
})
const Params = z.object({ id: z.string() })
const numberMax = 2n ** 63n - 1n

/** Messages, and how each went. */
export const consoleMessageRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (
  app,
  { database },
) => {
  app.get(
    '/ops/api/messages',
    { config, schema: { hide, querystring: ListQuery, response: { 200: MessageList } } },
    async (request) => {
      const { workspaceNo, appNo } = callerOf(request)
      const { only = null, before } = request.query
      const { messages, next } = await listMessages(database, {
        workspaceNo,
        appNo,
        only,
        before: placeOf('before', before),
        limit: messagesPerPage,
      })
      return { messages: messages.map(listedBody), next }
    },
  )

  app.get(
    '/ops/api/messages/:id',
    { config, schema: { hide, params: Params, response: { 200: Message } } },
    async (request) => {
      const report = await visibleMessage(database, callerOf(request), request.params.id)
      return readMessage(database, report)
    },
  )

  // Both answer with the message as it is then.
  for (const [name, change] of Object.entries({ cancel, release })) {
    app.post(
      `/ops/api/messages/:id/${name}`,
      { config, schema: { hide, params: Params, response: { 200: Message } } },
      async (request) => {
        const report = await change(database, callerOf(request), request.params.id)
        return readMessage(database, report)
      },
    )
  }

  app.get(
    '/ops/api/messages/:id/deliveries',
    {
      config,
      schema: {
        hide,
        params: Params,
        querystring: DeliveryQuery,
        response: { 200: DeliveryList },
      },
    },
    async (request) => {
      const { status = null, after } = request.query
      const { messageNo } = await visibleMessage(database, callerOf(request), request.params.id)
      const { appNos } = await scopeOf(database, request)
      const scan = await scanDeliveries(database, {
        messageNo,
        appNos,
        status,
        after: placeOf('after', after),
        limit: deliveriesPerPage,
      })
      return {
        deliveries: scan.deliveries.map(({ personId, fingerprint, at, ...delivery }) => ({
          ...delivery,
          person_id: personId,
          device: fingerprint,
          at: at.toISOString(),
        })),
        next: scan.next,
        looked_through: scan.lookedThrough,
      }
    },
  )
}

function placeOf(path: string, text: string | undefined): string | null {
  if (text === undefined) return null
  if (BigInt(text) > numberMax) throw invalid([{ path, message: 'must be the next of a page' }])
  return text
}
