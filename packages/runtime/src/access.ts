import { mayActAs, type Role } from '@pushkeep/domain'
import { inWorkspaces } from '@pushkeep/store'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { actorOf } from './actor.ts'
import type { NoteAttempt } from './attempts.ts'
import type { Authenticate, Caller } from './authentication.ts'
import { refusalByTerms } from './key-terms.ts'
import type { KeyUses } from './key-uses.ts'
import { limitCaller } from './limits/requests.ts'
import { ProblemError } from './problem.ts'

/**
 * Who may call a route: anybody (`open`), whoever has a key (`public`: those in mobile apps too),
 * secret keys alone (`secret`), or browsers that have signed in with one (`session`). Each route
 * declares it in its `config`.
 */
export type Access = 'open' | 'public' | 'secret' | 'session'

/**
 * Finds who is signed in; null where nobody is. Throws a problem where the request cannot be the
 * page's own (CSRF).
 */
export type SignedIn = (request: FastifyRequest) => Promise<Caller | null>

/** How callers are told; needed as far as routes ask for it. */
export interface AccessChecks {
  authenticate?: Authenticate | undefined
  signedIn?: SignedIn | undefined
  /** Told of calls that are refused. */
  noteAttempt?: NoteAttempt | undefined
  /** Told of keys that are used. */
  keyUses?: KeyUses | undefined
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** What a secret key must be allowed; left out: `read` for GET and HEAD, `operate` for the rest. */
    role?: Role
    /**
     * What the route reaches beyond an app: every app of the `workspace`, so that a key for one app is refused, or
     * every workspace of the `installation`, which is for its operators' keys alone.
     */
    reach?: 'workspace' | 'installation'
  }
  interface FastifyRequest {
    /** Set by the access check of routes that are not `open`; read it by `callerOf`. */
    pushkeepCaller: Caller | null
  }
  interface FastifyInstance {
    /** Where uses of keys are noted; null: nowhere. */
    pushkeepKeyUses: KeyUses | null
  }
}

/**
 * Runs the rest of an open route for the caller whom it has found by itself: its statements see the rows
 * of their workspace alone, as those of other routes do.
 */
export function forCaller<T>(caller: Caller, work: () => T): T {
  return inWorkspaces([caller.workspaceNo], work)
}

/** Who makes a request. Throws on a route that is `open`, where nobody has been asked. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.pushkeepCaller) throw new Error('this route asks for no key')
  return request.pushkeepCaller
}

const docs = /^\/(docs(\/|$)|openapi\.json$)/

/**
 * Admits a caller whom an open route has found by itself (a key in the body). Throws the same
 * problems that a route of this access would answer with.
 */
export function admitCaller(
  request: FastifyRequest,
  caller: Caller | null,
  access: 'public' | 'secret',
): Caller {
  const refusal =
    (caller && limitCaller(request, null, caller, 'key')) ??
    (caller && refusalByTerms(caller, request.ip, Date.now())) ??
    refusalOf(access, usualRole(request.method), caller)
  if (refusal || !caller) throw refusal ?? unauthorized()
  const from = { ...caller, address: request.ip }
  request.pushkeepCaller = from
  return from
}

/** Checks each request by its route's declaration. A route without one fails at start. */
export function checkAccess(app: FastifyInstance, checks: AccessChecks): void {
  app.decorateRequest('pushkeepCaller', null)
  app.decorate('pushkeepKeyUses', checks.keyUses ?? null)
  app.addHook('onRoute', (route) => {
    const access = accessOf(route)
    if (access === 'open') return
    const own = route.onRequest ? [route.onRequest].flat() : []
    route.onRequest = [accessHook(route, access, checks), ...own]
  })
  // After the body was read, whose events belong to the connection and not to the request.
  app.addHook('preValidation', (request, _reply, done) => {
    const caller = request.pushkeepCaller
    if (caller) inWorkspaces([caller.workspaceNo], done)
    else done()
  })
}

function accessOf(route: RouteOptions): Access {
  const access = docs.test(route.url) ? 'open' : route.config?.access
  if (!access) throw new Error(`${route.method} ${route.url} does not declare its access`)
  return access
}

function accessHook(
  route: RouteOptions,
  access: Exclude<Access, 'open'>,
  { authenticate, signedIn, noteAttempt }: AccessChecks,
) {
  const find =
    access === 'session'
      ? signedIn
      : authenticate && ((request: FastifyRequest) => authenticate(request.headers.authorization))
  if (!find) throw new Error(`${route.url} asks who calls, but nothing can tell`)
  const by = access === 'session' ? 'session' : 'key'
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    const admit = (caller: Caller | null) => {
      const role = route.config?.role ?? usualRole(request.method)
      const refusal =
        (caller && limitCaller(request, reply, caller, by)) ??
        (caller && refusalByTerms(caller, request.ip, Date.now())) ??
        refusalOf(access, role, caller) ??
        reachRefusal(route, caller)
      // As an error, so that each scope of routes answers in its own words.
      if (refusal) {
        if (isAttempt(request, caller)) noteAttempt?.(attemptOf(request, caller, refusal))
        done(refusal)
      } else {
        request.pushkeepCaller = caller && { ...caller, address: request.ip }
        if (caller) noteUse(request, caller, access !== 'session' && isFromBrowser(request))
        done()
      }
    }
    const found = find(request)
    // A cached key goes on in the same turn.
    if (found instanceof Promise) found.then(admit, done)
    else admit(found)
  }
}

/** A call without a key is none; a page whose session has ended neither. */
function isAttempt({ headers }: FastifyRequest, caller: Caller | null): boolean {
  return caller !== null || headers.authorization !== undefined
}

function attemptOf(request: FastifyRequest, caller: Caller | null, refusal: ProblemError) {
  const address = request.ip
  const { code } = refusal.problem
  const actor = caller && actorOf({ ...caller, address })
  return { actor, address, action: 'access.refused', code } as const
}

function usualRole(method: string): Role {
  return method === 'GET' || method === 'HEAD' ? 'read' : 'operate'
}

function refusalOf(
  access: Exclude<Access, 'open'>,
  role: Role,
  caller: Caller | null,
): ProblemError | null {
  if (!caller) return access === 'session' ? signedOut() : unauthorized()
  if (caller.kind === 'public') {
    if (access === 'public') return null
    return new ProblemError(403, 'forbidden', { detail: 'this route needs a secret key' })
  }
  if (mayActAs(caller.role, role)) return null
  return new ProblemError(403, 'role_needed', {
    detail: `this needs a key with the role ${role}; this one has ${caller.role}`,
  })
}

function reachRefusal({ config }: RouteOptions, caller: Caller | null): ProblemError | null {
  switch (config?.reach) {
    case undefined:
      return null
    case 'workspace':
      return caller && refusalOfAppKey(caller)
    case 'installation':
      return caller && refusalOfTenantKey(caller)
  }
}

/** Why a key of a workspace may not look at what belongs to all; null for one of the installation's operators. */
function refusalOfTenantKey({ isInstallation }: Caller): ProblemError | null {
  if (isInstallation) return null
  return new ProblemError(403, 'installation_key_needed', {
    detail:
      'this belongs to the whole installation: it needs a key made with pushkeep key create --installation',
  })
}

/** Whether a page sent the request. Browsers say so with each request that a page of another site makes. */
function isFromBrowser({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
}

/**
 * Notes that a key was used. `isInClient`: the request comes from a browser or a mobile app, where everyone can
 * read a secret key: the log says so, once an hour and key, and the list of keys does.
 */
export function noteUse(request: FastifyRequest, caller: Caller, isInClient: boolean): void {
  const isExposed = isInClient && caller.kind === 'secret'
  request.server.pushkeepKeyUses?.note(caller.keyId, isExposed)
  if (isExposed) warnOfExposedKey(request, caller)
}

const warnEveryMs = 3_600_000
const warnedMax = 10_000
const warnedAt = new Map<string, number>()

function warnOfExposedKey(request: FastifyRequest, { keyId, workspaceNo }: Caller): void {
  const now = Date.now()
  if (now - (warnedAt.get(keyId) ?? Number.NEGATIVE_INFINITY) < warnEveryMs) return
  if (warnedAt.size >= warnedMax) warnedAt.clear()
  warnedAt.set(keyId, now)
  request.log.warn(
    { event: 'key.exposed', key_id: keyId, workspace_no: workspaceNo },
    'a secret key came from a browser or an app: revoke it, and use a public one there',
  )
}

/**
 * Why a key for one app may not do what reaches every app of the workspace; null for a key of the
 * workspace. For what a body asks for; a route declares `reach`.
 */
export function refusalOfAppKey({ appNo }: Pick<Caller, 'appNo'>): ProblemError | null {
  if (appNo === null) return null
  return new ProblemError(403, 'workspace_key_needed', {
    detail:
      'this reaches every app of the workspace, and this key is for one app: use a key of the workspace',
  })
}

function unauthorized(): ProblemError {
  return new ProblemError(401, 'unauthorized', {
    detail: 'send a valid key as Authorization: Bearer <key>',
    headers: { 'www-authenticate': 'Bearer realm="pushkeep"' },
  })
}

function signedOut(): ProblemError {
  return new ProblemError(401, 'signed_out', { detail: 'sign in with a secret key' })
}
