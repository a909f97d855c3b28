import { type Key, KeyCreated, KeyList, NewKey } from '@pushkeep/console-api'
import { type Caller, callerOf, invalid, notFound } from '@pushkeep/runtime'
import {
  audit,
  createKey,
  type Database,
  inTransaction,
  keysOf,
  type ListedKey,
  revokeKey,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Scope, scopeOf } from '../scope.ts'

const read = { access: 'session' } as const
const admin = { access: 'session', role: 'admin' } as const
const hide = true

export interface KeyRoutesDeps {
  database: Database
  now: () => number
}

/** Keys: which there are, making one, ending one. A key for one app sees and makes those for it. */
export const keyRoutes: FastifyPluginAsyncZod<KeyRoutesDeps> = async (app, { database, now }) => {
  app.get(
    '/ops/api/keys',
    { config: read, schema: { hide, response: { 200: KeyList } } },
    async (request) => {
      const keys = await keysOf(database, await scopeOf(database, request))
      return {
        keys: keys.map(keyBody),
      }
    },
  )

  app.post(
    '/ops/api/keys',
    { config: admin, schema: { hide, body: NewKey, response: { 201: KeyCreated } } },
    async (request, reply) => {
      const scope = await scopeOf(database, request)
      const { name, kind, role, app_id, allowed_addresses: allowedAddresses = null } = request.body
      const appNo = appOf(scope, app_id)
      const expiresAt = endOf(request.body.expires_at ?? null, callerOf(request), now())
      const { workspaceNo, asker } = scope
      const created = await inTransaction(database, async (sql) => {
        const terms = { expiresAt, allowedAddresses }
        const key = { workspaceNo, appNo, kind, name, ...terms, ...(role && { role }) }
        const made = await createKey(sql, key)
        await audit(sql, {
          actor: asker,
          action: 'key.create',
          target: { kind: 'key', id: made.id },
          appNo,
          detail: {
            name,
            kind,
            role,
            ...(expiresAt && { expires_at: expiresAt.toISOString() }),
            ...(allowedAddresses && { allowed_addresses: allowedAddresses }),
          },
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

/** When a new key ends: in the future, and no later than the key that makes it. `now` in ms. */
function endOf(text: string | null, { expiresAt: own }: Caller, now: number): Date | null {
  const refuse = (message: string) => invalid([{ path: 'expires_at', message }])
  const expiresAt = text === null ? null : new Date(text)
  if (expiresAt !== null && expiresAt.getTime() <= now) throw refuse('must be in the future')
  if (own !== null && (expiresAt === null || expiresAt > own)) {
    throw refuse(`must be no later than the end of the key that makes it, ${own.toISOString()}`)
  }
  return expiresAt
}

function keyBody(key: ListedKey): Key {
  return {
    id: key.id,
    name: key.name,
    kind: key.kind,
    role: key.role,
    app_id: key.appId,
    created_at: key.createdAt.toISOString(),
    revoked_at: key.revokedAt?.toISOString() ?? null,
    is_installation: key.isInstallation,
    expires_at: key.expiresAt?.toISOString() ?? null,
    allowed_addresses: key.allowedAddresses === null ? null : [...key.allowedAddresses],
    used_at: key.usedAt?.toISOString() ?? null,
    exposed_at: key.exposedAt?.toISOString() ?? null,
  }
}
