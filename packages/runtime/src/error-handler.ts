import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { CoalescerFullError, isDatabaseUnavailable } from '@pushkeep/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { afterGuess } from './limits/requests.ts'
import { ProblemError, unavailable } from './problem.ts'

/** Answers with a problem. Serialized here, so that no response schema is needed for it. */
export function sendProblem(reply: FastifyReply, error: ProblemError): FastifyReply {
  return reply
    .code(error.statusCode)
    .headers(error.headers)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(error.problem))
}

/** Turns whatever was thrown into a problem; the unexpected is logged and tells nothing. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, loggedProblemOf(error, request))
}

/** The problem that an error means to the caller of a request; what nobody expected is logged. */
export function loggedProblemOf(error: unknown, request: FastifyRequest): ProblemError {
  const problem = afterGuess(request, problemOf(error))
  if (problem.statusCode >= 500 && problem !== error) {
    const level = problem.statusCode === 503 ? 'warn' : 'error'
    const route = request.routeOptions.url ?? null
    request.log[level]({ err: error, route, request_id: request.id }, 'request failed')
  }
  return problem
}

/** 404 for a route that does not exist. */
export function handleUnknownRoute(_request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, new ProblemError(404, 'unknown_route', { detail: 'there is no such route' }))
}

/** What an error means to the caller. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof CoalescerFullError) {
    return unavailable('overloaded', 'too many requests are waiting')
  }
  if (isDatabaseUnavailable(error)) {
    return unavailable('database_unavailable', 'the database cannot be reached now')
  }
  return problemOfFramework(error) ?? new ProblemError(500, 'internal', { detail: 'our fault' })
}

// Fastify's own messages repeat the path, which may hold a token.
const frameworkProblems: Record<string, [status: number, code: string, detail: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'body_too_large', 'the body is too large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported_media_type', 'send application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'malformed_body', 'the body is not of the said length'],
  FST_ERR_BAD_URL: [400, 'malformed_url', 'the path is not a valid URL component'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'path_too_long', 'a part of the path is too long'],
}

function problemOfFramework(error: unknown): ProblemError | null {
  if (!(error instanceof Error)) return null
  const known = 'code' in error ? frameworkProblems[String(error.code)] : undefined
  if (known) return new ProblemError(known[0], known[1], { detail: known[2] })
  const status = 'statusCode' in error ? Number(error.statusCode) : 500
  return status >= 400 && status < 500 ? new ProblemError(status, 'bad_request') : null
}

/** Answers what is no HTTP request, or comes too slowly. The raw packet may hold a key. */
export function handleClientError(error: Error, socket: Socket): void {
  const code = 'code' in error ? error.code : ''
  if (code === 'ECONNRESET' || socket.destroyed) return
  const problem =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new ProblemError(408, 'request_timeout')
      : code === 'HPE_HEADER_OVERFLOW'
        ? new ProblemError(431, 'headers_too_large')
        : new ProblemError(400, 'malformed_request')
  const body = JSON.stringify(problem.problem)
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${problem.statusCode} ${problem.problem.title}\r\n` +
        `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `Connection: close\r\n\r\n${body}`,
    )
  }
  socket.destroy(error)
}

/** Answers an `Expect` of anything but `100-continue`: Node's own 417 has no body. */
export function handleExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const { problem } = new ProblemError(417, 'unknown_expectation', {
    detail: 'Expect may be 100-continue and nothing else',
  })
  const body = JSON.stringify(problem)
  response
    .writeHead(417, {
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    })
    .end(body)
}
