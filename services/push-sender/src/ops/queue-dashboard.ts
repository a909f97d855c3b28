import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import { mayActAs, type Role } from '@pushkeep/domain'
import { PointerJob, type PointerQueue } from '@pushkeep/queues'
import { scrub } from '@pushkeep/runtime'
import type { Queue } from 'bullmq'
import fastify, { type FastifyInstance } from 'fastify'

/** Where the dashboard is. */
export const dashboardPath = '/ops/queues'

// The page has inline styles (its own and those of its chart library) and a <base>; everything comes
// from here.
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; " +
  "frame-ancestors 'none'"

// A page for operations loads nothing from elsewhere: it does with the fonts that the machine has.
const foreignFonts = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/

/** Bull Board as two servers without a port: one that shows, one that also lets retry and drain. */
export interface DashboardPages {
  reading: FastifyInstance
  operating: FastifyInstance
  close(): Promise<void>
}

/** Builds the pages over queues that are open. */
export async function buildDashboard(
  queues: readonly PointerQueue[],
  onError: (error: Error) => void,
): Promise<DashboardPages> {
  const reading = await buildPages(queues, true, onError)
  const operating = await buildPages(queues, false, onError)
  return {
    reading,
    operating,
    async close() {
      await Promise.all([reading.close(), operating.close()])
    },
  }
}

async function buildPages(
  queues: readonly PointerQueue[],
  readOnlyMode: boolean,
  onError: (error: Error) => void,
): Promise<FastifyInstance> {
  const serverAdapter = new FastifyAdapter().setBasePath(dashboardPath)
  createBullBoard({
    queues: queues.map((queue) => adapterOf(queue, readOnlyMode)),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Pushkeep queues',
        hideDocsLink: true,
        miscLinks: [{ text: 'Console', url: '/ops' }],
      },
    },
  })
  // Its own handler repeats whatever message an error has, and tells nobody.
  serverAdapter.setErrorHandler((error) => {
    onError(error)
    return { status: 500, body: { error: 'ERRORS.INTERNAL_SERVER_ERROR' } }
  })
  const pages = fastify({ logger: false })
  pages.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
  })
  pages.addHook('onSend', async (_request, reply, payload) => {
    // What fails here is the queues' server.
    if (reply.statusCode === 500) reply.code(503).header('retry-after', '1')
    if (typeof payload !== 'string') return payload
    // Why a job failed is somebody else's sentence.
    return isJson(reply.getHeader('content-type'))
      ? scrub(payload)
      : payload.replace(foreignFonts, '')
  })
  await pages.register(serverAdapter.registerPlugin(), { prefix: dashboardPath })
  await pages.ready()
  return pages
}

function adapterOf({ bull }: PointerQueue, readOnlyMode: boolean): BullMQAdapter {
  // Its types know Redis alone; it reads queues on PostgreSQL as well.
  const adapter = new BullMQAdapter(bull as Queue, { readOnlyMode })
  // Whatever somebody may have put into a job, its pointer is what is shown.
  adapter.setFormatter('data', (data) => PointerJob.safeParse(data).data ?? {})
  return adapter
}

function isJson(contentType: unknown): boolean {
  return String(contentType ?? '').includes('application/json')
}

/** What may be changed from the dashboard: a queue's failed jobs, and all that waits in it. */
export interface DashboardChange {
  action: 'queue.retry' | 'queue.clean' | 'queue.drain'
  queue: string
  /** The one job; null: all that are meant. */
  job: string | null
}

const name = '([\\w-]+)'
const changes: [DashboardChange['action'], RegExp][] = [
  ['queue.retry', new RegExp(`^/api/queues/${name}/retry/failed$`)],
  ['queue.retry', new RegExp(`^/api/queues/${name}/${name}/retry$`)],
  ['queue.clean', new RegExp(`^/api/queues/${name}/clean/failed$`)],
  ['queue.clean', new RegExp(`^/api/queues/${name}/${name}/clean$`)],
  ['queue.drain', new RegExp(`^/api/queues/${name}/empty$`)],
]

/**
 * The change that a request to the dashboard asks for; null where it is none that anybody may make:
 * pausing a queue stops every workspace, and a job of somebody's own making helps nobody.
 */
export function dashboardChange(method: string, path: string): DashboardChange | null {
  if (method !== 'PUT') return null
  for (const [action, pattern] of changes) {
    const match = pattern.exec(path)
    if (match) return { action, queue: match[1] ?? '', job: match[2] ?? null }
  }
  return null
}

/** Whether somebody may change anything in the dashboard. */
export function mayOperate(role: Role): boolean {
  return mayActAs(role, 'operate')
}
