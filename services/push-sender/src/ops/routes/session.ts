import { Session, SignIn } from '@pushkeep/console-api'
import { actorOf, forCaller, type NoteAttempt, noteUse, ProblemError } from '@pushkeep/runtime'
import {
  audit,
  closeSession,
  type Database,
  findSession,
  inTransaction,
  openSession,
  type Sql,
  workspaceName,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { clearSessionCookie, sessionSecretOf, setSessionCookie } from '../cookies.ts'
import { csrfTokenOf, refuseForeignOrigin } from '../csrf.ts'
import { scopeOfCaller } from '../scope.ts'
import { createDoor, type SecretOwner } from '../sign-in.ts'

const open = { access: 'open' } as const
const session = { access: 'session' } as const
const hide = true

export interface SessionRoutesDeps {
  database: Database
  /** Told of tries that failed. */
  noteAttempt: NoteAttempt
}

/** Signing in with a secret key, and out. */
export const sessionRoutes: FastifyPluginAsyncZod<SessionRoutesDeps> = async (
  app,
  { database, noteAttempt },
) => {
  const admit = createDoor({ database, noteAttempt })

  app.post(
    '/ops/api/session',
    {
      config: open,
      schema: { hide, body: SignIn, response: { 200: Session } },
    },
    async (request, reply) => {
      refuseForeignOrigin(request)
      const owner = await admit(request, request.body.key)
      return forCaller(owner, async () => {
        const former = sessionSecretOf(request)
        const secret = await signIn(database, { ...owner, address: request.ip }, former)
        noteUse(request, owner, false)
        setSessionCookie(request, reply, secret)
        return describe(database, secret)
      })
    },
  )

  app.get(
    '/ops/api/session',
    { config: session, schema: { hide, response: { 200: Session } } },
    async (request) => describe(database, sessionSecretOf(request) ?? ''),
  )

  app.delete(
    '/ops/api/session',
    { config: { ...session, role: 'read' }, schema: { hide, response: { 204: z.null() } } },
    async (request, reply) => {
      await signOut(database, sessionSecretOf(request) ?? '', request.ip)
      clearSessionCookie(request, reply)
      return reply.code(204).send(null)
    },
  )
}

/** Opens a session, and ends the one that the browser had before. */
async function signIn(
  database: Database,
  owner: SecretOwner & { address: string },
  former: string | null,
): Promise<string> {
  const { id } = await workspaceName(database, owner.workspaceNo)
  return inTransaction(database, async (sql) => {
    if (former !== null) await closeSession(sql, former)
    const secret = await openSession(sql, owner.keyId)
    await audit(sql, {
      actor: actorOf(owner),
      action: 'session.open',
      target: { kind: 'workspace', id },
      appNo: owner.appNo,
      detail: {},
    })
    return secret
  })
}

async function signOut(database: Database, secret: string, address: string): Promise<void> {
  const found = await findSession(database, secret)
  if (!found) return
  const { id } = await workspaceName(database, found.owner.workspaceNo)
  await inTransaction(database, async (sql) => {
    await closeSession(sql, secret)
    await audit(sql, {
      actor: actorOf({ ...found.owner, address }),
      action: 'session.close',
      target: { kind: 'workspace', id },
      appNo: found.owner.appNo,
      detail: {},
    })
  })
}

async function describe(sql: Sql, secret: string): Promise<Session> {
  const found = await findSession(sql, secret)
  if (!found) throw new ProblemError(401, 'signed_out', { detail: 'the session has ended' })
  const { owner, expiresAt } = found
  const { apps, appNo } = await scopeOfCaller(sql, owner)
  const [only] = apps
  return {
    key: {
      id: owner.keyId,
      name: owner.keyName,
      role: owner.role,
      is_installation: owner.isInstallation,
      expires_at: owner.expiresAt?.toISOString() ?? null,
    },
    workspace: await workspaceName(sql, owner.workspaceNo),
    app: appNo === null || !only ? null : { id: only.id, name: only.name },
    expires_at: expiresAt.toISOString(),
    csrf_token: csrfTokenOf(secret),
  }
}
