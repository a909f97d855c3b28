import { KnownPersonId } from '@pushkeep/domain'
import { notFound } from '@pushkeep/runtime'
import {
  audit,
  type Database,
  findNumberedPerson,
  inTransaction,
  suppressPerson,
  unsuppressPerson,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { scopeOf } from '../scope.ts'

const config = { access: 'session', reach: 'workspace' } as const
const schema = {
  hide: true,
  params: z.object({ id: KnownPersonId, change: z.enum(['suppress', 'unsuppress']) }),
  response: { 204: z.null() },
}

/** Ending and resuming all pushes to a person. */
export const suppressionRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (
  app,
  { database },
) => {
  app.post('/ops/api/people/:id/:change', { config, schema }, async (request, reply) => {
    const { workspaceNo, asker, appNo } = await scopeOf(database, request)
    const { id, change } = request.params
    await inTransaction(database, async (sql) => {
      const person = await findNumberedPerson(sql, { workspaceNo, id })
      if (!person) throw notFound('unknown_person', 'there is no person with this id')
      if (change === 'suppress') await suppressPerson(sql, { workspaceNo, id })
      else await unsuppressPerson(sql, { workspaceNo, id })
      await audit(sql, {
        actor: asker,
        action: `person.${change}`,
        target: { kind: 'person', personNo: person.personNo },
        appNo,
        detail: {},
      })
    })
    return reply.code(204).send(null)
  })
}
