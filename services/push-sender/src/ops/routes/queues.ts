import rateLimit from '@fastify/rate-limit'
import { callerOf, ProblemError, unavailable } from '@pushkeep/runtime'
import { audit, type Database } from '@pushkeep/store'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { csrfCookie, sessionSecretOf } from '../cookies.ts'
import { csrfTokenOf } from '../csrf.ts'
import type { QueueAccess } from '../queue-access.ts'
import {
  buildDashboard,
  type DashboardChange,
  type DashboardPages,
  dashboardChange,
  dashboardPath,
  mayOperate,
} from '../queue-dashboard.ts'
import { scopeOf } from '../scope.ts'

export interface QueueRoutesDeps {
  database: Database
  access: QueueAccess
  onError: (error: Error) => void
}

const config = { access: 'session', reach: 'installation' } as const

/** Changes that one key may make within a minute, in one process: each is an entry of the audit log. */
const changesPerMinute = 30

const schema = { hide: true }

/**
 * Bull Board at `/ops/queues` for operators of the installation: the queues hold the jobs of every workspace. Read-only,
 * or with retry and drain for those who may operate. Opened by the first request: while the queues' server is away,
 * all else works.
 */
export const queueRoutes: FastifyPluginAsync<QueueRoutesDeps> = async (app, deps) => {
  const { database, access, onError } = deps
  let built: Promise<DashboardPages> | null = null

  async function dashboard(): Promise<DashboardPages> {
    built ??= access.queues().then((queues) => buildDashboard(queues, onError))
    const building = built
    try {
      return await building
    } catch (cause) {
      if (built === building) built = null
      onError(cause instanceof Error ? cause : new Error('the dashboard did not open'))
      throw unavailable('queues_unavailable', 'the queues cannot be reached now')
    }
  }

  async function show(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const pages = await dashboard()
    const { role } = callerOf(request)
    const own = role !== null && mayOperate(role) ? pages.operating : pages.reading
    const token = csrfTokenOf(sessionSecretOf(request) ?? '')
    reply.hijack()
    reply.raw.setHeader('set-cookie', csrfCookie(request, token))
    own.routing(request.raw, reply.raw)
  }

  async function change(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const wanted = dashboardChange(request.method, pathOf(request))
    // In the words of the dashboard, which shows them.
    if (!wanted) return reply.code(403).send({ error: 'ERRORS.FORBIDDEN' })
    const { operating } = await dashboard()
    await note(request, wanted)
    const answer = await operating.inject({ method: 'PUT', url: request.url })
    return reply
      .code(answer.statusCode)
      .type('application/json; charset=utf-8')
      .send(answer.body === '' ? null : answer.body)
  }

  async function note(request: FastifyRequest, { action, queue, job }: DashboardChange) {
    const { asker } = await scopeOf(database, request)
    const target = { kind: 'queue', id: queue } as const
    const detail = job === null ? {} : { job }
    await audit(database, { actor: asker, action, target, appNo: null, detail })
  }

  await app.register(rateLimit, {
    global: false,
    // Once it is known who asks.
    hook: 'preHandler',
    keyGenerator: (request) => callerOf(request).keyId,
    max: changesPerMinute,
    timeWindow: '1 minute',
    cache: 1000,
    errorResponseBuilder: (_request, { ttl }) => tooManyChanges(Math.ceil(ttl / 1000)),
  })
  for (const url of [dashboardPath, `${dashboardPath}/*`]) {
    app.get(url, { config, schema }, show)
    app.route({
      method: ['PUT', 'POST', 'PATCH', 'DELETE'],
      url,
      config: { ...config, rateLimit: {} },
      schema,
      handler: change,
    })
  }
  app.addHook('onClose', async () => {
    const pages = await built?.catch(() => null)
    await pages?.close()
  })
}

function tooManyChanges(afterSeconds: number): ProblemError {
  return new ProblemError(429, 'too_many_changes', {
    detail: `too many changes of queues: wait ${afterSeconds} s`,
    headers: { 'retry-after': String(afterSeconds) },
  })
}

function pathOf(request: FastifyRequest): string {
  const [path = ''] = request.url.slice(dashboardPath.length).split('?')
  return path
}
