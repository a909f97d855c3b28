import { eventTypes, PersonEventInput } from '@pushkeep/domain'
import { callerOf, notFound, problemResponses } from '@pushkeep/runtime'
import {
  type Command,
  type CommandVerdict,
  type Database,
  type EventCursor,
  type PersonEvent,
  readEvents,
  type Sent,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { publicKeys, secretKeys } from '../access.ts'
import { EmptyAnswer } from '../answers.ts'
import { clientMessageOf } from '../client-message.ts'
import { formatCursor, parseCursor } from '../cursor.ts'
import type { OpenGate } from '../identity/gate.ts'
import { IdentityHeaders } from '../identity/token-header.ts'
import { EventsQuery, KnownPersonParams, PersonParams } from '../requests.ts'
import { limitWrite } from '../write-limits.ts'

export interface EventRoutesDeps {
  database: Database
  openGate: OpenGate
  run: (list: readonly Sent[]) => Promise<CommandVerdict[]>
}

const tags = ['people']

const EventAnswer = z
  .strictObject({
    name: z.string(),
    type: z.enum(eventTypes),
    timestamp: z.iso.datetime().describe('When it happened, as the client said'),
    received_at: z.iso.datetime(),
    id: z.string().nullable().describe("The client's own id of the call"),
    anonymous_id: z
      .string()
      .nullable()
      .describe('The phone, where nobody was identified on it at that time'),
    properties: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' })

const trackSchema = {
  tags,
  summary: 'Tell what a person did',
  description:
    'Creates the person where there is none. A call with an `id` that was taken within the last week is taken again and changes nothing: `"applied": false`.',
  params: PersonParams,
  headers: IdentityHeaders,
  body: PersonEventInput,
  response: {
    200: z.union([z.strictObject({ applied: z.boolean() }), EmptyAnswer]),
    ...problemResponses(400, 401, 403, 413, 415, 422, 429, 503),
  },
}

const readSchema = {
  tags,
  summary: "Read a person's events",
  description:
    'The latest first, by when they happened, in pages. Events are kept for 90 days after they arrived, unless configured otherwise.',
  params: KnownPersonParams,
  querystring: EventsQuery,
  response: {
    200: z
      .strictObject({ events: z.array(EventAnswer), next_cursor: z.string().nullable() })
      .meta({ id: 'Events' }),
    ...problemResponses(401, 403, 404, 422, 429, 503),
  },
}

/** What people do. */
export const eventRoutes: FastifyPluginAsyncZod<EventRoutesDeps> = async (
  server,
  { database, openGate, run },
) => {
  server.post(
    '/v1/people/:id/events',
    { config: publicKeys, schema: trackSchema },
    async (request) => {
      const caller = callerOf(request)
      const { workspaceNo, kind } = caller
      const gate = await openGate(caller, request.headers, null)
      const { isProven: isVouched } = gate.admit(request.params.id)
      limitWrite(request, caller, gate, { personId: request.params.id, isEvent: true })
      const { name, type, id: messageId = null, timestamp = null, properties = {} } = request.body
      const event = { workspaceNo, personId: request.params.id, anonymousId: null }
      const what = { type, name, at: timestamp, properties, messageId }
      const command: Command = { kind: 'event', event: { ...event, isVouched, ...what } }
      const message = messageId === null ? null : clientMessageOf(caller, command, messageId)
      const [verdict] = await run([{ command, message }])
      return kind === 'public' ? {} : { applied: verdict === 'done' }
    },
  )

  server.get(
    '/v1/people/:id/events',
    { config: secretKeys, schema: readSchema },
    async (request) => {
      const { workspaceNo } = callerOf(request)
      const { limit, cursor } = request.query
      const after = cursor === undefined ? null : placeOf(cursor)
      const page = await readEvents(database, { workspaceNo, id: request.params.id, limit, after })
      if (!page) throw notFound('unknown_person', 'there is no such person')
      return {
        events: page.events.map(eventAnswer),
        next_cursor: page.next && formatCursor([page.next.at, page.next.eventNo]),
      }
    },
  )
}

function eventAnswer(event: PersonEvent): z.infer<typeof EventAnswer> {
  return {
    name: event.name,
    type: event.type,
    timestamp: event.at.toISOString(),
    received_at: event.receivedAt.toISOString(),
    id: event.messageId,
    anonymous_id: event.anonymousId,
    properties: event.properties,
  }
}

const Cursor = z.tuple([z.iso.datetime({ offset: true }), z.string().regex(/^\d{1,18}$/)])

function placeOf(cursor: string): EventCursor {
  const [at, eventNo] = parseCursor(Cursor, cursor)
  return { at, eventNo }
}
