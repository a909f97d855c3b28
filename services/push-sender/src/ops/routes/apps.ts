import { AppList, NewApp, Resume, Resumed } from '@pushkeep/console-api'
import { providers } from '@pushkeep/domain'
import { notFound, ProblemError } from '@pushkeep/runtime'
import {
  audit,
  createApp,
  type Database,
  inTransaction,
  lastTasks,
  resumeLane,
  type Sql,
  workersNow,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { resumedBody, trialWaitMs } from '../../resumed-body.ts'
import { healthBody, readStandings } from '../provider-health.ts'
import { appInScope, type Scope, scopeOf } from '../scope.ts'
import { taskBody } from '../task-view.ts'

export interface AppRoutesDeps {
  database: Database
  now: () => number
}

const config = { access: 'session' } as const
const hide = true
const LaneParams = z.object({ app: z.string(), provider: z.enum(providers) })

/** Apps: how their lanes stand, and letting a paused one go on. */
export const consoleAppRoutes: FastifyPluginAsyncZod<AppRoutesDeps> = async (
  app,
  { database, now },
) => {
  app.get(
    '/ops/api/apps',
    { config, schema: { hide, response: { 200: AppList } } },
    async (request) => readApps(database, await scopeOf(database, request), now()),
  )

  app.post(
    '/ops/api/apps',
    {
      config: { ...config, role: 'admin' },
      schema: { hide, body: NewApp, response: { 201: z.object({ id: z.string() }) } },
    },
    async (request, reply) => {
      const scope = await scopeOf(database, request)
      if (scope.appNo !== null) {
        throw new ProblemError(403, 'forbidden', { detail: 'this key is for one app alone' })
      }
      return reply.code(201).send({ id: await create(scope, request.body.name) })
    },
  )

  app.post(
    '/ops/api/apps/:app/providers/:provider/resume',
    { config, schema: { hide, params: LaneParams, body: Resume, response: { 200: Resumed } } },
    async (request) => {
      const { asker, ...scope } = await scopeOf(database, request)
      const { provider } = request.params
      const { bounces } = request.body
      const { appNo, id } = appInScope({ asker, ...scope }, request.params.app)
      const resumed = await resumeLane(database, {
        appNo,
        provider,
        bounces,
        waitMs: trialWaitMs,
        note: (sql, restored) =>
          audit(sql, {
            actor: asker,
            action: 'provider.resume',
            target: { kind: 'app', id },
            appNo,
            detail: { provider, bounces, restored },
          }),
      })
      if (!resumed) throw notFound('unknown_provider', `the app has no credentials of ${provider}`)
      return resumedBody(resumed)
    },
  )

  function create({ workspaceNo, asker }: Scope, name: string): Promise<string> {
    return inTransaction(database, async (sql) => {
      const { id, appNo } = await createApp(sql, workspaceNo, name)
      const target = { kind: 'app', id } as const
      await audit(sql, { actor: asker, action: 'app.create', target, appNo, detail: { name } })
      return id
    })
  }
}

async function readApps(sql: Sql, { apps, appNos }: Scope, now: number): Promise<AppList> {
  const workers = await workersNow(sql, appNos)
  const [standings, tasks] = await Promise.all([
    readStandings(sql, appNos, workers, now),
    lastTasks(sql, appNos),
  ])
  return {
    apps: apps.map(({ id, name, appNo, createdAt }) => ({
      id,
      name,
      created_at: createdAt.toISOString(),
      providers: standings
        .filter((standing) => standing.appNo === appNo)
        .map((standing) => {
          const { provider, state } = standing
          const task = tasks.find((one) => one.appNo === appNo && one.provider === provider)
          return {
            ...healthBody(standing, id),
            settings: state.settings,
            stored_at: state.storedAt.toISOString(),
            last_task: task ? taskBody(task) : null,
          }
        }),
    })),
  }
}
