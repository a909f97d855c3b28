import { tokenFingerprint } from '@pushkeep/store'
import { type FastifyInstance, type FastifyRequest, LogController } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether its requests are told at `debug`: those that machines repeat all day. */
    isRoutine?: boolean
  }
  interface FastifyRequest {
    /** What the request's line tells beside its route; set by `noteRequest`. */
    pushkeepNotes: RequestNotes | null
  }
}

/** What a request's line may tell of it. Never a token, a person or a key. */
export interface RequestNotes {
  message_id?: string
  /** The device's token as `tokenFingerprint` shows it. */
  device?: string
}

/** Adds to the line that is logged of a request. */
export function noteRequest(request: FastifyRequest, notes: RequestNotes): void {
  request.pushkeepNotes = { ...request.pushkeepNotes, ...notes }
}

/** Makes room for what is known of each request. */
export function prepareNotes(app: FastifyInstance): void {
  app.decorateRequest('pushkeepNotes', null)
  app.decorateRequest('pushkeepTrace', null)
}

/** One line a request: its route's pattern, never its URL, which may hold a token or a person. */
export class RequestLog extends LogController {
  override incomingRequest() {}

  override requestCompleted(...[error, request, reply]: RequestCompleted) {
    const { url = null, config } = request.routeOptions
    const line = {
      method: request.method,
      route: url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      request_id: request.id,
      ...deviceOf(request),
      ...request.pushkeepNotes,
      trace_id: request.pushkeepTrace?.span.spanContext().traceId,
    }
    if (error) request.log.error({ ...line, err: error }, 'request')
    else request.log[config.isRoutine ? 'debug' : 'info'](line, 'request')
  }

  // The error handler logs what it answers.
  override defaultErrorLog() {}

  override routeNotFound() {}
}

type RequestCompleted = Parameters<LogController['requestCompleted']>

/** Whose route has a token in its path: as much of it as may be told. */
function deviceOf({ params }: FastifyRequest): { device?: string } {
  const isNamed = typeof params === 'object' && params !== null && 'token' in params
  return isNamed ? { device: tokenFingerprint(String(params.token)) } : {}
}
