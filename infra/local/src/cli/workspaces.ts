import { createWorkspace } from '@pushkeep/store'
import { Command } from 'commander'
import { nameOf } from './names.ts'
import { allWorkspaces } from './queries.ts'
import type { Run } from './session.ts'

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
        const { id } = await createWorkspace(database, nameOf(name))
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
          text: workspaces.map(({ id, name }) => `${id}  ${name}`).join('\n'),
          json: workspaces.map(({ id, name, createdAt }) => ({ id, name, created_at: createdAt })),
        }
      }),
    )
  return command
}
