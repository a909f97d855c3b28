import { createHash } from 'node:crypto'
import { cleanText, type EventType, eventTypes } from '@pushkeep/domain'
import { callerOf, invalid } from '@pushkeep/runtime'
import { type EventCursor, type PersonEvent, type PersonNames, readEvents } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { IdType } from '../identifiers.ts'
import { appApiPage } from '../paging.ts'
import { namesAnswer, PersonNamesAnswer } from '../profile-answer.ts'
import { refusals } from '../scope.ts'
import { type PeopleDeps, PersonParams, personOf } from './people.ts'

const Activity = z
  .object({
    id: z.string(),
    type: z.enum(eventTypes),
    name: z.string(),
    timestamp: z.int().describe('When it happened, unix seconds'),
    customer_id: z.string(),
    customer_identifiers: PersonNamesAnswer,
    data: z.record(z.string(), z.unknown()),
    delivery_id: z.null(),
    delivery_type: z.null(),
  })
  .meta({ id: 'AppApiActivity' })

const activitiesSchema = {
  summary: 'What a person did',
  description:
    'Their events, the latest first. What Pushkeep did is no activity here: messages have a list ' +
    'of their own, devices a timeline. A page with a filter may be short and not be the last.',
  tags: ['app api'],
  params: PersonParams,
  querystring: z.strictObject({
    id_type: IdType,
    ...appApiPage({ limitMax: 100, limitDefault: 10 }),
    type: z.enum(eventTypes, `must be one of ${eventTypes.join(', ')}`).optional(),
    name: cleanText(1000).optional(),
  }),
  response: {
    200: z.object({ activities: z.array(Activity), next: z.string() }),
    ...refusals(400, 401, 403, 404, 414, 429, 503),
  },
}

/** Events of a person as Customer.io's clients read them. */
export const activityRoutes: FastifyPluginAsyncZod<PeopleDeps> = async (app, deps) => {
  const { database, hide } = deps
  const options = { config: { access: 'secret' }, schema: { ...activitiesSchema, hide } } as const
  app.get('/customers/:id/activities', options, async (request) => {
    const caller = callerOf(request)
    const { id_type, start, limit, type, name } = request.query
    const customer = await personOf(deps, caller, request.params.id, id_type)
    const { workspaceNo } = caller
    const page = await readEvents(database, {
      workspaceNo,
      id: customer.id,
      limit,
      after: placeOf(start),
    })
    const { events = [], next = null } = page ?? {}
    const isWanted = (event: PersonEvent) =>
      (type === undefined || event.type === type) && (name === undefined || event.name === name)
    return {
      activities: events.filter(isWanted).map((event) => activity(event, customer)),
      next: next === null ? '' : writePlace(next),
    }
  })
}

function activity(event: PersonEvent, customer: PersonNames): z.infer<typeof Activity> {
  return {
    id: event.messageId ?? idOf(event),
    type: event.type satisfies EventType,
    name: event.name,
    timestamp: Math.floor(event.at.getTime() / 1000),
    customer_id: customer.id,
    customer_identifiers: namesAnswer(customer),
    data: event.properties,
    delivery_id: null,
    delivery_type: null,
  }
}

/** The same each time that it is read. */
function idOf({ type, name, at, properties }: PersonEvent): string {
  const text = JSON.stringify([type, name, at.getTime(), properties])
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

const Place = z.tuple([z.iso.datetime({ offset: true }), z.string().regex(/^\d{1,18}$/)])

function writePlace({ at, eventNo }: EventCursor): string {
  return Buffer.from(JSON.stringify([at, eventNo])).toString('base64url')
}

function placeOf(start: string | undefined): EventCursor | null {
  if (!start) return null
  try {
    const [at, eventNo] = Place.parse(JSON.parse(Buffer.from(start, 'base64url').toString()))
    return { at, eventNo }
  } catch {
    throw invalid([{ path: 'start', message: 'is no place in this list' }])
  }
}
