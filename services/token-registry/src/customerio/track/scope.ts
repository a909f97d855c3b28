import { acceptJson, loggedProblemOf, ProblemError } from '@pushkeep/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refusalMessages, refusalStatus } from '../refusal.ts'

/** Most bytes of a call of v1, and of a batch of v2. */
export const bodyLimit = 512_000

/** Makes a scope of routes answer and read as the Track API does. */
export function speakTrack(scope: FastifyInstance): void {
  acceptJson(scope, { anyType: true })
  scope.setErrorHandler((error, request, reply) => {
    refuse(loggedProblemOf(error, request), request, reply)
  })
}

/** 404 in the same words. */
export function refuseUnknownRoute(request: FastifyRequest, reply: FastifyReply): void {
  const detail = 'there is no such route'
  refuse(new ProblemError(404, 'unknown_route', { detail }), request, reply)
}

function refuse(problem: ProblemError, request: FastifyRequest, reply: FastifyReply): void {
  const status = refusalStatus(problem)
  reply.code(status).headers(problem.headers).type('application/json; charset=utf-8')
  reply.send(JSON.stringify(bodyOf(status, problem, request)))
}

function bodyOf(status: number, problem: ProblemError, request: FastifyRequest): object {
  const route = request.routeOptions.url ?? ''
  if (status === 400 && route.startsWith('/api/v2/')) return { errors: errorsOf(problem) }
  const messages = refusalMessages(problem)
  const isList = status === 400 && !route.endsWith('/merge_customers')
  return { meta: isList ? { errors: messages } : { error: messages.join('; ') } }
}

/** An error as v2 lists it. */
export interface TrackError {
  reason: string
  field: string
  message: string
}

/** What is wrong with a call or an item of v2. */
export function errorsOf({ problem }: ProblemError): TrackError[] {
  const { errors, detail, code, title } = problem
  if (!errors || errors.length === 0) {
    return [{ reason: code, field: '', message: detail ?? title }]
  }
  return errors.map(({ path, message }) => ({
    reason: message === 'is required' ? 'required' : 'invalid',
    field: path,
    message,
  }))
}
