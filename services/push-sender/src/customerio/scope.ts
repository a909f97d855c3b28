import { loggedProblemOf, Problem, ProblemError } from '@pushkeep/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'

/** Makes a scope of routes refuse as the App API does: `{"meta": {"error": "…"}}`. */
export function refuseAsAppApi(scope: FastifyInstance): void {
  scope.setErrorHandler((error, request, reply) => {
    refuse(loggedProblemOf(error, request), reply)
  })
}

/** 404 for a route that neither Customer.io nor this service has. */
export function refuseUnknownRoute(_request: FastifyRequest, reply: FastifyReply): void {
  refuse(new ProblemError(404, 'unknown_route', { detail: 'there is no such route' }), reply)
}

/** What the App API has and Pushkeep has not: refused, so that nobody believes that it was done. */
export function unsupported(what: string): ProblemError {
  return new ProblemError(400, 'unsupported', { detail: `${what} by Pushkeep` })
}

// What is wrong with a request is 400 there, whatever it is.
const statusOf: Record<string, number> = {
  invalid: 400,
  payload_too_large: 400,
  too_many_devices: 400,
  too_many_scheduled: 400,
}

function refuse({ problem, statusCode, headers }: ProblemError, reply: FastifyReply): void {
  const { code, errors = [], detail, title } = problem
  const lines = errors.map(({ path, message }) => `${path} ${message}`)
  const error = lines.length > 0 ? [...new Set(lines)].join('; ') : (detail ?? title)
  const body: z.infer<typeof Refusal> = { meta: { error }, ...(errors.length > 0 && { errors }) }
  reply.code(statusOf[code] ?? statusCode).headers(headers)
  reply.type('application/json; charset=utf-8').send(JSON.stringify(body))
}

const Refusal = z
  .object({
    meta: z.object({ error: z.string().describe('In words, for people') }),
    errors: Problem.shape.errors,
  })
  .meta({ id: 'AppApiError' })

/** The error answers of a route, for its description. What is no request to it at all is a problem. */
export function refusals(...statuses: number[]) {
  const content = {
    'application/json': { schema: Refusal },
    'application/problem+json': { schema: Problem },
  }
  return Object.fromEntries(statuses.map((status) => [status, { description: 'Refused', content }]))
}
