import {
  AppList,
  BounceDecision,
  BouncesDecided,
  NewApp,
  Resume,
  Resumed,
} from '@pushkeep/console-api'
import { type IdentityMode, modeOfNewApp, providers } from '@pushkeep/domain'
import { invalid, notFound, ProblemError } from '@pushkeep/runtime'
import {
  audit,
  createApp,
  type Database,
  identityModesOf,
  inTransaction,
  lastTasks,
  resumeLane,
  type Sql,
  workersNow,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { decideAboutBounces } from '../../bounces.ts'
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
      return reply.code(201).send({ id: await create(scope, request.body) })
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

  app.post(
    '/ops/api/apps/:app/providers/:provider/bounces',
    {
      config,
      schema: { hide, params: LaneParams, body: BounceDecision, response: { 200: BouncesDecided } },
    },
    async (request) => {
      const { asker, ...scope } = await scopeOf(database, request)
      const found = appInScope({ asker, ...scope }, request.params.app)
      return decideAboutBounces(database, asker, found, request.params.provider, request.body)
    },
  )

  async function create(
    { workspaceNo, asker }: Scope,
    { name, identity_mode }: z.infer<typeof NewApp>,
  ): Promise<string> {
    const mode = await modeFor(workspaceNo, identity_mode)
    return inTransaction(database, async (sql) => {
      const { id, appNo } = await createApp(sql, workspaceNo, name, mode)
      const target = { kind: 'app', id } as const
      const detail = { name, identity_mode: mode }
      await audit(sql, { actor: asker, action: 'app.create', target, appNo, detail })
      return id
    })
  }

  async function modeFor(
    workspaceNo: number,
    said: IdentityMode | undefined,
  ): Promise<IdentityMode> {
    const modes = await identityModesOf(database, workspaceNo)
    const chosen = modeOfNewApp(said, [...modes.values()])
    if (chosen.kind === 'mode') return chosen.mode
    const message = `has to be said: the apps of this workspace have ${chosen.strictest}, and the strictest mode holds for all of them`
    throw invalid([{ path: 'identity_mode', message }])
  }
}

async function readApps(
  sql: Sql,
  { workspaceNo, apps, appNos }: Scope,
  now: number,
): Promise<AppList> {
  const workers = await workersNow(sql, appNos)
  const [modes, standings, tasks] = await Promise.all([
    identityModesOf(sql, workspaceNo),
    readStandings(sql, appNos, workers, now),
    lastTasks(sql, appNos),
  ])
  return {
    apps: apps.map(({ id, name, appNo, createdAt }) => ({
      id,
      name,
      created_at: createdAt.toISOString(),
      identity_mode: modes.get(appNo) ?? 'off',
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
