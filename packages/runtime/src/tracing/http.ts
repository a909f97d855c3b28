import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { keyKindOf } from '@pushkeep/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { keyOf } from '../authentication.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace that the request belongs to; null where none is kept. */
    pushkeepTrace: { span: Span; context: Context } | null
  }
}

/**
 * A span a request, named by its route. A caller's `traceparent` is taken up where it comes with a
 * secret key: whoever has a public one must not decide what we keep.
 */
export function traceRequests(app: FastifyInstance): void {
  const tracer = trace.getTracer('pushkeep')
  app.addHook('onRequest', (request, reply, done) => {
    const { config, url } = request.routeOptions
    if (config.isRoutine) {
      done()
      return
    }
    const key = keyOf(request.headers.authorization)
    const parent =
      key !== null && keyKindOf(key) === 'secret'
        ? propagation.extract(ROOT_CONTEXT, request.headers)
        : ROOT_CONTEXT
    const route = url ?? 'unknown'
    const span = tracer.startSpan(
      `${request.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': request.method,
          'http.route': route,
          'pushkeep.request_id': request.id,
        },
      },
      parent,
    )
    request.pushkeepTrace = { span, context: trace.setSpan(parent, span) }
    reply.raw.once('close', () => endSpan(span, request, reply))
    context.with(request.pushkeepTrace.context, done)
  })
  // The body is read in the context of its socket: from here on it is the request's own again.
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.pushkeepTrace) context.with(request.pushkeepTrace.context, done)
    else done()
  })
}

function endSpan(span: Span, request: FastifyRequest, reply: FastifyReply): void {
  const { message_id, device } = request.pushkeepNotes ?? {}
  span.setAttribute('http.response.status_code', reply.statusCode)
  if (message_id !== undefined) span.setAttribute('pushkeep.message_id', message_id)
  if (device !== undefined) span.setAttribute('pushkeep.device', device)
  if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}
