import { type Caller, invalid, type ProblemError } from '@pushkeep/runtime'
import { type App, appsOf, appsWithToken, type Database } from '@pushkeep/store'

/** Finds the app that a call is about. */
export interface AppFinder {
  /**
   * The app to register in: the one named, else the key's, else the workspace's only one. `path` is
   * where the request has it.
   */
  toRegister(caller: Caller, appId: string | undefined, path: string): Promise<App>
  /** The only app that the call may mean; null where there are several, or none. */
  only(caller: Caller, appId: string | undefined, path: string): Promise<App | null>
  /**
   * The app, of those that the call may mean, where a token stands; where it is deleted, if it
   * stands nowhere else. null: it is not known.
   */
  ofToken(caller: Caller, appId: string | undefined, token: string): Promise<App | null>
  /**
   * The app of a token that is to be deleted or untied. That several apps know it, or none, is more
   * than a public key is told: it has to mean one app by itself, as when it registers.
   */
  toChange(caller: Caller, appId: string | undefined, token: string): Promise<App | null>
}

/** How long a workspace's list of apps counts. */
const ttlMs = 1000

interface Entry {
  apps: Promise<App[]>
  until: number
}

/** Remembers each workspace's apps for a second, and asks anew for one that it does not know. */
export function createAppFinder(database: Database): AppFinder {
  const entries = new Map<number, Entry>()

  function list(workspaceNo: number): Promise<App[]> {
    const entry = entries.get(workspaceNo)
    if (entry && entry.until > performance.now()) return entry.apps
    const apps = appsOf(database, workspaceNo)
    // A failure must not be remembered.
    apps.catch(() => entries.delete(workspaceNo))
    entries.set(workspaceNo, { apps, until: performance.now() + ttlMs })
    return apps
  }

  /** The apps that a call may mean. */
  async function allowed(caller: Caller, appId: string | undefined, path: string): Promise<App[]> {
    const apps = await list(caller.workspaceNo)
    const own = caller.appNo === null ? apps : apps.filter((app) => app.appNo === caller.appNo)
    if (appId === undefined) return own
    const named = own.filter((app) => app.id === appId)
    if (named.length > 0) return named
    const fresh = await appsOf(database, caller.workspaceNo)
    const app = fresh.find((one) => one.id === appId)
    if (!app) throw wrongApp(path, 'is not an app of this workspace')
    const isOfKey = caller.appNo === null || app.appNo === caller.appNo
    if (!isOfKey) throw wrongApp(path, "is not the key's app")
    return [app]
  }

  async function toRegister(caller: Caller, appId: string | undefined, path: string) {
    const apps = await allowed(caller, appId, path)
    const [only] = apps
    if (!only) throw wrongApp(path, 'cannot be found: the workspace has no app')
    if (apps.length > 1) throw wrongApp(path, 'must be given: the workspace has several apps')
    return only
  }

  async function ofToken(caller: Caller, appId: string | undefined, token: string) {
    const apps = await allowed(caller, appId, 'app_id')
    const found = await appsWithToken(database, { appNos: apps.map((app) => app.appNo), token })
    const live = found.filter((one) => !one.isDeleted)
    const meant = live.length > 0 ? live : found
    if (meant.length > 1) throw wrongApp('app_id', 'must be given: several apps know this token')
    return apps.find((app) => app.appNo === meant[0]?.appNo) ?? null
  }

  return {
    toRegister,
    ofToken,

    async only(caller, appId, path) {
      const [first, ...others] = await allowed(caller, appId, path)
      return others.length === 0 ? (first ?? null) : null
    },

    toChange: (caller, appId, token) =>
      caller.kind === 'public'
        ? toRegister(caller, appId, 'app_id')
        : ofToken(caller, appId, token),
  }
}

function wrongApp(path: string, message: string): ProblemError {
  return invalid([{ path, message }])
}
