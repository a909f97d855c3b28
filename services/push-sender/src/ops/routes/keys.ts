import { KeyCreated, KeyList, NewKey } from '@pushkeep/console-api'
import { invalid, notFound } from '@pushkeep/runtime'
import { audit, createKey, type Database, inTransaction, keysOf, revokeKey } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Scope, scopeOf } from '../scope.ts'

const read = { access: 'session' } as const
const admin = { access: 'session', role: 'admin' } as const
const hide = true

/** Keys: which there are, making one, ending one. A key for one app sees and makes those for it. */
export const keyRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (
  app,
  { database },
) => {
  app.get(
    '/ops/api/keys',
    { config: read, schema: { hide, response: { 200: KeyList } } },
    async (request) => {
      const keys = await keysOf(database, await scopeOf(database, request))
      return {
        keys: keys.map(({ appId, createdAt, revokedAt, ...key }) => ({
          ...key,
          app_id: appId,
          created_at: createdAt.toISOString(),
          revoked_at: revokedAt?.toISOString() ?? null,
        })),
      }
    },
  )

  app.post(
    '/ops/api/keys',
    { config: admin, schema: { hide, body: NewKey, response: { 201: KeyCreated } } },
    async (request, reply) => {
      const scope = await scopeOf(database, request)
      const { name, kind, role, app_id } = request.body
      const appNo = appOf(scope, app_id)
      const { workspaceNo, asker } = scope
      const created = await inTransaction(database, async (sql) => {
        const key = { workspaceNo, appNo, kind, name, ...(role === null ? {} : { role }) }
        const made = await createKey(sql, key)
        await audit(sql, {
          actor: asker,
          action: 'key.create',
          target: { kind: 'key', id: made.id },
          appNo,
          detail: { name, kind, role },
        })
        return made
      })
      return reply.code(201).send(created)
    },
  )

  app.delete(
    '/ops/api/keys/:id',
    {
      config: admin,
      schema: { hide, params: z.object({ id: z.uuid() }), response: { 204: z.null() } },
    },
    async (request, reply) => {
      const scope = await scopeOf(database, request)
      const { id } = request.params
      const key = (await keysOf(database, scope)).find((one) => one.id === id)
      if (!key) throw notFound('unknown_key', 'there is no key with this id')
      const { workspaceNo, asker, appNo } = scope
      await inTransaction(database, async (sql) => {
        if (!(await revokeKey(sql, { workspaceNo, id }))) return
        await audit(sql, {
          actor: asker,
          action: 'key.revoke',
          target: { kind: 'key', id },
          appNo,
          detail: { name: key.name, kind: key.kind, role: key.role },
        })
      })
      return reply.code(204).send(null)
    },
  )
}

/** The app that a new key is for; null: all, which a key for one app cannot make. */
function appOf(scope: Scope, id: string | null): number | null {
  if (id === null && scope.appNo === null) return null
  const app = scope.apps.find((one) => one.id === id)
  if (!app) throw invalid([{ path: 'app_id', message: 'is no app that this session may manage' }])
  return app.appNo
}
