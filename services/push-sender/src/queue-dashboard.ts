import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import {
  openQueues,
  type PointerQueue,
  type QueueBackend,
  type Queues,
  queueNames,
} from '@pushkeep/queues'
import { type Server, unavailable } from '@pushkeep/runtime'
import type { Queue } from 'bullmq'
import fastify, { type FastifyInstance } from 'fastify'

const path = '/ops/queues'

// The page has inline styles (its own and those of its chart library) and a <base>; everything comes
// from here.
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; " +
  "frame-ancestors 'none'"

// A page for operations loads nothing from elsewhere: it does with the fonts that the machine has.
const foreignFonts = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/

/** Longest wait for the queues' server when the dashboard opens, in milliseconds. */
const openTimeoutMs = 5000
const closeTimeoutMs = 2000

export interface QueueDashboardOptions {
  backend: QueueBackend
  /** A fault of a connection: reported, never thrown. */
  onError: (error: Error) => void
}

/**
 * Bull Board at `/ops/queues`, read-only, for whoever has a secret key (HTTP Basic). It is a server
 * of its own behind one guarded route, opened by the first request that gets through: while the
 * queues' server is away, everything else starts and works.
 */
export function addQueueDashboard(app: Server, options: QueueDashboardOptions): void {
  let opened: Promise<Board> | null = null

  async function board(): Promise<Board> {
    opened ??= openBoard(options)
    const opening = opened
    try {
      return await opening
    } catch (cause) {
      // The next request tries anew: a queue that failed to open stays so.
      if (opened === opening) opened = null
      options.onError(cause instanceof Error ? cause : new Error('the dashboard did not open'))
      throw unavailable('queues_unavailable', 'the queues cannot be reached now')
    }
  }

  for (const url of [path, `${path}/*`]) {
    app.get(
      url,
      {
        config: { access: 'secret' },
        schema: { hide: true },
        // What makes a browser ask for the key.
        onSend: async (_request, reply) => {
          if (reply.statusCode === 401) {
            reply.header('www-authenticate', 'Basic realm="pushkeep queues"')
          }
        },
      },
      async (request, reply) => {
        const { pages } = await board()
        reply.hijack()
        pages.routing(request.raw, reply.raw)
      },
    )
  }
  app.addHook('onClose', async () => {
    const board = await opened?.catch(() => null)
    await board?.close()
  })
}

interface Board {
  pages: FastifyInstance
  close(): Promise<void>
}

async function openBoard(options: QueueDashboardOptions): Promise<Board> {
  const { backend } = options
  const onError = sparingly(options.onError)
  const queues = openQueues({ backend, onError })
  const pointers = queueNames.map((name) => queues.queue(name))
  const close = () => closeQueues(queues, pointers)
  try {
    await within(openTimeoutMs, Promise.all(pointers.map(({ bull }) => bull.waitUntilReady())))
    const pages = await buildPages(pointers, onError)
    return {
      pages,
      async close() {
        await pages.close()
        await close()
      },
    }
  } catch (error) {
    void close()
    throw error
  }
}

async function buildPages(
  pointers: PointerQueue[],
  onError: (error: Error) => void,
): Promise<FastifyInstance> {
  const serverAdapter = new FastifyAdapter().setBasePath(path)
  createBullBoard({
    // Its types know Redis alone; it reads queues on PostgreSQL as well.
    queues: pointers.map(({ bull }) => new BullMQAdapter(bull as Queue, { readOnlyMode: true })),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Pushkeep queues', hideDocsLink: true } },
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
    return typeof payload === 'string' ? payload.replace(foreignFonts, '') : payload
  })
  await pages.register(serverAdapter.registerPlugin(), { prefix: path })
  await pages.ready()
  return pages
}

/** A server that is away fails several times a second: one report in ten seconds says as much. */
function sparingly(report: (error: Error) => void): (error: Error) => void {
  let quietUntil = 0
  return (error) => {
    const now = performance.now()
    if (now < quietUntil) return
    quietUntil = now + 10_000
    report(error)
  }
}

/** A queue whose server is away waits for it even to close. */
async function closeQueues(queues: Queues, pointers: PointerQueue[]): Promise<void> {
  const closed = Promise.allSettled(pointers.map((queue) => queue.close()))
  await within(closeTimeoutMs, closed).catch(() => {})
  await queues.close()
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('not within its time')), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
