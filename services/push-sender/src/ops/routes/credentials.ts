import { ApnsReplacement, CredentialTask, FcmReplacement, TaskAsked } from '@pushkeep/console-api'
import { type Provider, providers } from '@pushkeep/domain'
import { invalid, notFound, unavailable } from '@pushkeep/runtime'
import { askCheck, askReplacement, type Database, findTask, providersOf } from '@pushkeep/store'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type SplitCredentials, splitApns, splitFcm } from '../credential-input.ts'
import { appInScope, scopeOf } from '../scope.ts'
import { taskBody } from '../task-view.ts'

export interface CredentialRoutesDeps {
  database: Database
  now: () => number
}

const config = { access: 'session' } as const
const adminConfig = { access: 'session', role: 'admin' } as const
const hide = true
const AppParams = z.object({ app: z.string() })

/** Credentials: asking the provider about them, and replacing them. The workers do both. */
export const credentialRoutes: FastifyPluginAsyncZod<CredentialRoutesDeps> = async (
  app,
  { database, now },
) => {
  app.post(
    '/ops/api/apps/:app/providers/:provider/check',
    {
      config,
      schema: {
        hide,
        params: AppParams.extend({ provider: z.enum(providers) }),
        response: { 202: TaskAsked },
      },
    },
    async (request, reply) => {
      const scope = await scopeOf(database, request)
      const { provider } = request.params
      const { appNo, id: appId } = appInScope(scope, request.params.app)
      const states = await providersOf(database, appNo)
      if (!states.some((state) => state.provider === provider)) {
        throw notFound('unknown_provider', `the app has no credentials of ${provider}`)
      }
      const { asker } = scope
      const task_id = await askCheck(database, { asker, appNo, appId, provider })
      return reply.code(202).send({ task_id })
    },
  )

  app.put(
    '/ops/api/apps/:app/providers/apns/credentials',
    {
      config: adminConfig,
      schema: { hide, params: AppParams, body: ApnsReplacement, response: { 202: TaskAsked } },
    },
    async (request, reply) => {
      const { body, params } = request
      const task = await replace(request, params.app, 'apns', splitApns(body), body)
      return reply.code(202).send(task)
    },
  )

  app.put(
    '/ops/api/apps/:app/providers/fcm/credentials',
    {
      config: adminConfig,
      schema: { hide, params: AppParams, body: FcmReplacement, response: { 202: TaskAsked } },
    },
    async (request, reply) => {
      const { body, params } = request
      const task = await replace(request, params.app, 'fcm', splitFcm(body), body)
      return reply.code(202).send(task)
    },
  )

  app.get(
    '/ops/api/tasks/:id',
    {
      config,
      schema: { hide, params: z.object({ id: z.uuid() }), response: { 200: CredentialTask } },
    },
    async (request) => {
      const { appNos } = await scopeOf(database, request)
      const task = await findTask(database, { appNos, id: request.params.id })
      if (!task) throw notFound('unknown_task', 'there is no such task')
      return taskBody(task)
    },
  )

  async function replace(
    request: FastifyRequest,
    appName: string,
    provider: Provider,
    credentials: SplitCredentials,
    { expires_at, is_forced: isForced }: { expires_at: string | null; is_forced: boolean },
  ): Promise<{ task_id: string }> {
    const scope = await scopeOf(database, request)
    const { appNo, id: appId } = appInScope(scope, appName)
    const expiresAt = expires_at === null ? null : new Date(expires_at)
    if (expiresAt !== null && expiresAt.getTime() <= now()) {
      throw invalid([{ path: 'expires_at', message: 'must be in the future' }])
    }
    const { asker } = scope
    const who = { asker, appNo, appId, provider }
    const task_id = await askReplacement(database, { ...who, ...credentials, expiresAt, isForced })
    if (task_id === null) {
      throw unavailable('no_workers', 'no worker has started yet: they alone may read credentials')
    }
    return { task_id }
  }
}
