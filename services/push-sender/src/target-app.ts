import { type Caller, invalid, ProblemError } from '@pushkeep/runtime'
import { findApp, type Sql } from '@pushkeep/store'

/** The app that a call is about, by its id and its key; null: every app of the workspace. */
export async function targetApp(
  sql: Sql,
  caller: Caller,
  appId: string | undefined,
): Promise<number | null> {
  if (appId === undefined) return caller.appNo
  const app = await findApp(sql, appId)
  if (!app || app.workspaceNo !== caller.workspaceNo) {
    throw invalid([{ path: 'app_id', message: 'is no app of this workspace' }])
  }
  if (caller.appNo !== null && caller.appNo !== app.appNo) {
    const error = { path: 'app_id', message: 'is not the app that this key is for' }
    throw new ProblemError(403, 'forbidden', {
      detail: `${error.path} ${error.message}`,
      errors: [error],
    })
  }
  return app.appNo
}
