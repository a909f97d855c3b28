import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Authenticate, Caller } from './authentication.ts'
import { sendProblem } from './error-handler.ts'
import { ProblemError } from './problem.ts'

/**
 * Who may call a route: anybody (`open`), whoever has a key (`public`: those in mobile apps too), or
 * secret keys alone. Each route declares it in its `config`.
 */
export type Access = 'open' | 'public' | 'secret'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Set by the access check of routes that are not `open`; read it by `callerOf`. */
    pushkeepCaller: Caller | null
  }
}

/** Who makes a request. Throws on a route that is `open`, where nobody has been asked. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.pushkeepCaller) throw new Error('this route asks for no key')
  return request.pushkeepCaller
}

const docs = /^\/(docs(\/|$)|openapi\.json$)/

/** Checks each request by its route's declaration. A route without one fails at start. */
export function checkAccess(app: FastifyInstance, authenticate: Authenticate | undefined): void {
  app.decorateRequest('pushkeepCaller', null)
  app.addHook('onRoute', (route) => {
    const access = accessOf(route)
    if (access === 'open') return
    if (!authenticate) throw new Error(`${route.url} needs keys, but nothing authenticates`)
    const own = route.onRequest ? [route.onRequest].flat() : []
    route.onRequest = [accessHook(access, authenticate), ...own]
  })
}

function accessOf(route: RouteOptions): Access {
  const access = docs.test(route.url) ? 'open' : route.config?.access
  if (!access) throw new Error(`${route.method} ${route.url} does not declare its access`)
  return access
}

function accessHook(access: Exclude<Access, 'open'>, authenticate: Authenticate) {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    const admit = (caller: Caller | null) => {
      const refusal = refusalOf(access, caller)
      if (refusal) {
        sendProblem(reply, refusal)
        return
      }
      request.pushkeepCaller = caller
      done()
    }
    const found = authenticate(request.headers.authorization)
    // A cached key goes on in the same turn.
    if (found instanceof Promise) found.then(admit, done)
    else admit(found)
  }
}

function refusalOf(access: Access, caller: Caller | null): ProblemError | null {
  if (!caller) {
    return new ProblemError(401, 'unauthorized', {
      detail: 'send a valid key as Authorization: Bearer <key>',
      headers: { 'www-authenticate': 'Bearer realm="pushkeep"' },
    })
  }
  if (access === 'secret' && caller.kind !== 'secret') {
    return new ProblemError(403, 'forbidden', { detail: 'this route needs a secret key' })
  }
  return null
}
