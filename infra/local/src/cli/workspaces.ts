import { createWorkspace } from '@pushkeep/store'
import { Command } from 'commander'
import { nameOf } from './names.ts'
import { noted } from './noted.ts'
import { allWorkspaces } from './queries.ts'
import type { Run } from './session.ts'
import { line } from './view.ts'

/** `workspace create`, `workspace list` */
export function workspaceCommand(run: Run): Command {
  const command = new Command('workspace')
    .alias('workspaces')
    .description('the tenants: each has people, apps, keys')
  command
    .command('create <name>')
    .description('create a workspace')
    .action((name: string) =>
      run(async ({ database }) => {
        const { id } = await noted(database, async (sql) => {
          const result = await createWorkspace(sql, nameOf(name))
          const target = { kind: 'workspace', id: result.id } as const
          const { workspaceNo } = result
          const deed = { action: 'workspace.create', target, appNo: null, detail: {} } as const
          return { result, deed: { workspaceNo, ...deed } }
        })
        return { text: id, json: { id, name: nameOf(name) } }
      }),
    )
  command
    .command('list')
    .description('list the workspaces')
    .action(() =>
      run(async ({ database }) => {
        const workspaces = await allWorkspaces(database)
        return {
          text: workspaces.map(({ id, name }) => line([id, name])).join('\n'),
          json: workspaces.map(({ id, name, createdAt }) => ({ id, name, created_at: createdAt })),
        }
      }),
    )
  return command
}
