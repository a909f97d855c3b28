import { appsOf, audit, type Sql } from '@pushkeep/store'
import { Failure, idOf } from '../failure.ts'
import { chosenWorkspace } from '../queries.ts'
import type { Target } from './row.ts'

/** What of the command line says where lines go. */
export interface TargetOptions {
  workspace?: string
  app?: string
  mapApp: ReadonlyMap<string, string>
}

/** Where lines are imported to. Fails where an option names what is not there. */
export async function targetOf(sql: Sql, options: TargetOptions, asOf: number): Promise<Target> {
  const { workspaceNo } = await chosenWorkspace(sql, options.workspace)
  const apps = new Map((await appsOf(sql, workspaceNo)).map(({ id, appNo }) => [id, appNo]))
  const [only] = apps.size === 1 ? apps.values() : []
  const named = options.app === undefined ? undefined : apps.get(idOf('--app', options.app))
  if (options.app !== undefined && named === undefined) {
    throw new Failure(`--app: the workspace has no app ${options.app}`)
  }
  for (const to of options.mapApp.values()) {
    if (!apps.has(to)) throw new Failure(`--map-app: the workspace has no app ${to}`)
  }
  return { workspaceNo, apps, defaultAppNo: named ?? only ?? null, renamed: options.mapApp, asOf }
}

/** Writes down that an import begins, or goes on. */
export async function noteImport(sql: Sql, { workspaceNo, defaultAppNo }: Target): Promise<void> {
  await audit(sql, {
    actor: { workspaceNo, key: null },
    action: 'data.import',
    target: { kind: 'workspace', id: 'people' },
    appNo: defaultAppNo,
    detail: {},
  })
}
