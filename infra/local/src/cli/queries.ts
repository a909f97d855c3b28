import { findApp, findWorkspace, installationNo, type Sql, type Workspace } from '@pushkeep/store'
import { Failure, idOf } from './failure.ts'

export interface ListedWorkspace extends Workspace {
  name: string
  createdAt: Date
}

/** Every workspace, oldest first. */
export async function allWorkspaces(sql: Sql): Promise<ListedWorkspace[]> {
  const { rows } = await sql.query<ListedWorkspace>(
    `select workspace_no as "workspaceNo", id, name, created_at as "createdAt"
     from workspaces order by workspace_no`,
  )
  return rows
}

/** The workspace that is meant: the one named, or the only one. */
export async function chosenWorkspace(sql: Sql, id: string | undefined): Promise<Workspace> {
  if (id !== undefined) {
    const named = await findWorkspace(sql, idOf('--workspace', id))
    if (!named) throw new Failure(`there is no workspace ${id}`)
    return named
  }
  const [only, ...others] = await allWorkspaces(sql)
  if (!only) throw new Failure('there is no workspace yet: pushkeep workspace create <name>')
  if (others.length > 0) throw new Failure('there are several workspaces: say --workspace <id>', 2)
  return only
}

/** The app with this id. */
export async function chosenApp(sql: Sql, option: string, id: string) {
  const app = await findApp(sql, idOf(option, id))
  if (!app) throw new Failure(`there is no app ${id}`)
  return app
}

/** The workspace that a key belongs to, or null. */
export async function workspaceOfKey(sql: Sql, id: string): Promise<number | null> {
  const { rows } = await sql.query<{ no: number }>(
    'select workspace_no as no from api_keys where id = $1',
    [id],
  )
  return rows[0]?.no ?? null
}

/** Which audit log is meant. */
export interface LogOptions {
  workspace?: string
  installation?: true
}

/** The number of the workspace, or of the installation. */
export async function chosenLog(
  sql: Sql,
  { workspace, installation }: LogOptions,
): Promise<number> {
  return installation ? installationNo : (await chosenWorkspace(sql, workspace)).workspaceNo
}
