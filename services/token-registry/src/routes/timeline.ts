import { callerOf, notFound, problemResponses } from '@pushkeep/runtime'
import { type Database, readTimeline, type TimelineCursor } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { secretKeys } from '../access.ts'
import type { AppFinder } from '../apps.ts'
import { formatCursor, parseCursor } from '../cursor.ts'
import { TimelineQuery, TokenParams } from '../requests.ts'

export interface TimelineRoutesDeps {
  database: Database
  apps: AppFinder
}

const TimelineAnswer = z
  .strictObject({
    events: z.array(
      z.strictObject({
        at: z.iso.datetime(),
        kind: z
          .string()
          .describe(
            '`registered`, `re_registered`, `identified`, `moved`, `untied`, `replaced`, `deleted`, `push_enabled`, `push_disabled`, and what deliveries found',
          ),
        person_id: z.string().nullable().describe('Whose it was, or became'),
        from_person_id: z.string().optional().describe('Of a move: whom it left'),
        reason: z.string().optional(),
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'Timeline' })

const timelineSchema = {
  tags: ['devices'],
  summary: "Read a token's timeline",
  description: 'Newest first, by pages. Stays readable when the token is deleted.',
  params: TokenParams,
  querystring: TimelineQuery,
  response: { 200: TimelineAnswer, ...problemResponses(401, 403, 404, 414, 422, 429, 503) },
}

/** What happened to a token, newest first. */
export const timelineRoutes: FastifyPluginAsyncZod<TimelineRoutesDeps> = async (
  server,
  { database, apps },
) => {
  server.get(
    '/v1/devices/:token/timeline',
    { config: secretKeys, schema: timelineSchema },
    async (request) => {
      const { token } = request.params
      const { app_id, limit, cursor } = request.query
      const after = cursor === undefined ? null : placeOf(cursor)
      const app = await apps.ofToken(callerOf(request), app_id, token)
      if (!app) throw notFound('unknown_device', 'this token was never registered')
      const page = await readTimeline(database, { appNo: app.appNo, token, limit, after })
      return {
        events: page.events.map((event) => ({
          at: event.at.toISOString(),
          kind: event.kind,
          person_id: event.personId,
          ...(event.fromPersonId === null ? {} : { from_person_id: event.fromPersonId }),
          ...(event.reason === null ? {} : { reason: event.reason }),
        })),
        next_cursor: page.next && formatCursor([page.next.at, page.next.kind]),
      }
    },
  )
}

const Cursor = z.tuple([z.iso.datetime({ offset: true }), z.string().regex(/^[a-z_]{1,50}$/)])

function placeOf(cursor: string): TimelineCursor {
  const [at, kind] = parseCursor(Cursor, cursor)
  return { at, kind }
}
