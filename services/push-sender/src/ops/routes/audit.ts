import { AuditList } from '@pushkeep/console-api'
import { callerOf } from '@pushkeep/runtime'
import { type Database, readAudit } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'

const entriesPerPage = 50

const Query = z.strictObject({
  before: z
    .string()
    .regex(/^\d{1,15}$/, 'must be the next of a page')
    .optional(),
})

/** What operators did. */
export const auditRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (
  app,
  { database },
) => {
  app.get(
    '/ops/api/audit',
    {
      config: { access: 'session' },
      schema: { hide: true, querystring: Query, response: { 200: AuditList } },
    },
    async (request) => {
      const { workspaceNo, appNo } = callerOf(request)
      const { before } = request.query
      const { entries, next } = await readAudit(database, {
        workspaceNo,
        appNo,
        before: before === undefined ? null : Number(before),
        limit: entriesPerPage,
      })
      return {
        entries: entries.map(
          ({ entryNo, at, key, address, action, appId, targetKind, target, detail, isIntact }) => ({
            number: entryNo,
            at: at.toISOString(),
            key,
            address,
            action,
            app_id: appId,
            target: { kind: targetKind, id: target },
            detail,
            is_intact: isIntact,
          }),
        ),
        next,
      }
    },
  )
}
