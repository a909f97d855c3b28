import type { Role } from '@pushkeep/domain'
import { type Caller, callerOf, notFound } from '@pushkeep/runtime'
import { type App, type Asker, appsOf, type Sql } from '@pushkeep/store'
import type { FastifyRequest } from 'fastify'

/** What somebody who has signed in may see: a workspace, or one app of it. */
export interface Scope {
  workspaceNo: number
  /** null: all apps. */
  appNo: number | null
  apps: App[]
  appNos: number[]
  asker: Asker
  role: Role
  /** Of an operator of the installation, who also sees what belongs to no workspace. */
  isInstallation: boolean
}

/** The scope of a request that the access check has let through. */
export async function scopeOf(sql: Sql, request: FastifyRequest): Promise<Scope> {
  return scopeOfCaller(sql, callerOf(request))
}

/** The scope of a caller with a secret key. */
export async function scopeOfCaller(sql: Sql, caller: Caller): Promise<Scope> {
  if (caller.kind !== 'secret') throw new Error('only a secret key opens a session')
  const { workspaceNo, appNo, keyId, keyName, role, isInstallation } = caller
  const all = await appsOf(sql, workspaceNo)
  const apps = appNo === null ? all : all.filter((app) => app.appNo === appNo)
  const key = { id: keyId, name: keyName, role }
  const address = caller.address ?? null
  const appNos = apps.map((app) => app.appNo)
  const asker = { workspaceNo, key, address }
  return { workspaceNo, appNo, apps, appNos, asker, role, isInstallation }
}

/** The app with this id, if it is in the scope; otherwise it is as good as not there. */
export function appInScope(scope: Scope, id: string): App {
  const app = scope.apps.find((one) => one.id === id)
  if (!app) throw notFound('unknown_app', 'there is no app with this id')
  return app
}

/** The id of an app by its number; '' for one that is not in the scope. */
export function appIdOf(scope: Scope, appNo: number): string {
  return scope.apps.find((app) => app.appNo === appNo)?.id ?? ''
}
