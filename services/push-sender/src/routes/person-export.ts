import { Readable } from 'node:stream'
import { KnownPersonId } from '@pushkeep/domain'
import { actorOf, callerOf, notFound, problemResponses } from '@pushkeep/runtime'
import { appsOf, audit, type Database, findNumberedPerson } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { exportPerson } from '../person-export.ts'

const config = { access: 'secret', role: 'operate' } as const

const schema = {
  summary: 'Everything of one person',
  description:
    'For a person who asks for their data: who they are, `devices` with tokens, `anonymous_ids`, `events`, `timeline` ' +
    'of their devices, `messages` that went to them with their `deliveries` and receipts (not to whom else they ' +
    'went), and `scheduled_messages`. A stream of any length; `"complete": true` is its last field. What changes ' +
    'meanwhile may be in it or not. A key for one app gets the devices, timelines and messages of that app. ' +
    'Needs the role `operate`, and is written down in the audit log.',
  tags: ['people'],
  params: z.object({ id: KnownPersonId }),
  response: {
    200: z.unknown().describe('One JSON object'),
    ...problemResponses(401, 403, 404, 422, 429, 503),
  },
}

/** Everything of one person. */
export const personExportRoutes: FastifyPluginAsyncZod<{
  database: Database
  now: () => number
}> = async (app, { database, now }) => {
  app.get('/v1/people/:id/export', { config, schema }, async (request, reply) => {
    const caller = callerOf(request)
    const { workspaceNo, appNo } = caller
    const person = await findNumberedPerson(database, { workspaceNo, id: request.params.id })
    if (!person) throw notFound('unknown_person', 'there is no person with this id')
    const { personNo } = person
    const apps = appNo === null ? await appsOf(database, workspaceNo) : [{ appNo }]
    // Before the first byte: one that breaks off has given away what it sent.
    await audit(database, {
      actor: actorOf(caller),
      action: 'person.export',
      target: { kind: 'person', personNo },
      appNo,
      detail: {},
    })
    const appNos = apps.map((one) => one.appNo)
    const subject = { workspaceNo, personNo, personId: person.id, appNo, appNos }
    const pieces = exportPerson(database, caller, person, subject, now())
    return reply
      .type('application/json; charset=utf-8')
      .header('content-disposition', 'attachment; filename="person.json"')
      .send(Readable.from(pieces, { objectMode: false, highWaterMark: 65_536 }))
  })
}
