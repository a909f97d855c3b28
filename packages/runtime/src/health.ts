import type { Database } from '@pushkeep/store'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { problemResponses, unavailable } from './problem.ts'

const Health = z.object({ status: z.literal('ok') })

const open = { access: 'open', isRoutine: true } as const

/** Longest wait of a readiness check for the database. */
const readyTimeoutMs = 2000

/** `/health/live`: the process answers. `/health/ready`: the database does too. */
export function reportHealth(app: FastifyInstance, database: Database | undefined): void {
  app.get(
    '/health/live',
    {
      config: open,
      schema: {
        summary: 'Whether the process runs',
        description: 'Answers as long as the process does; asks nothing else.',
        tags: ['health'],
        security: [],
        response: { 200: Health },
      },
    },
    () => ({ status: 'ok' }),
  )
  app.get(
    '/health/ready',
    {
      config: open,
      schema: {
        summary: 'Whether requests can be served',
        description: 'Answers 503 while the database cannot be reached.',
        tags: ['health'],
        security: [],
        response: { 200: Health, ...problemResponses(503) },
      },
    },
    async () => {
      if (database && !(await isReachable(database))) {
        throw unavailable('database_unavailable', 'the database cannot be reached now')
      }
      return { status: 'ok' }
    },
  )
}

async function isReachable(database: Database): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), readyTimeoutMs)
  })
  const asked = database.query('select 1').then(
    () => true,
    () => false,
  )
  const isReady = await Promise.race([asked, late])
  clearTimeout(timer)
  return isReady
}
