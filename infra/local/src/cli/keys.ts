import { createKey, type KeyKind, revokeKey, type Sql } from '@pushkeep/store'
import { Command, Option } from 'commander'
import { Failure, idOf } from './failure.ts'
import { nameOf } from './names.ts'
import { chosenApp, chosenWorkspace, keysOf, workspaceOfKey } from './queries.ts'
import type { Answer, Run } from './session.ts'

/** `key create`, `key list`, `key revoke` */
export function keyCommand(run: Run): Command {
  const command = new Command('key')
    .alias('keys')
    .description('API keys: secret ones for servers, public for apps')
  command
    .command('create')
    .description('create a key; its text is shown this once')
    .addOption(
      new Option('--kind <kind>', 'secret or public')
        .choices(['secret', 'public'])
        .makeOptionMandatory(),
    )
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .option('--app <id>', 'for this app only')
    .option('--name <text>', 'to recognise it by')
    .action((options: CreateOptions) => run(({ database }) => create(database, options)))
  command
    .command('list')
    .description('list the keys of a workspace, without their texts')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .action((options: { workspace?: string }) =>
      run(({ database }) => list(database, options.workspace)),
    )
  command
    .command('revoke <id>')
    .description('end a key')
    .action((id: string) => run(({ database }) => revoke(database, idOf('<id>', id))))
  return command
}

interface CreateOptions {
  kind: KeyKind
  workspace?: string
  app?: string
  name?: string
}

async function create(sql: Sql, options: CreateOptions): Promise<Answer> {
  const { kind } = options
  const { workspaceNo, id: workspace_id } = await chosenWorkspace(sql, options.workspace)
  const app = options.app === undefined ? null : await chosenApp(sql, '--app', options.app)
  if (app && app.workspaceNo !== workspaceNo) {
    throw new Failure(`app ${app.id} is not in workspace ${workspace_id}`)
  }
  const name = nameOf(options.name ?? `${kind} key`)
  const { id, key } = await createKey(sql, { workspaceNo, appNo: app?.appNo ?? null, kind, name })
  return {
    text: `${key}\n\nIts id is ${id}. The key is not shown again.`,
    json: { id, key, kind, name, workspace_id, app_id: app?.id ?? null },
  }
}

async function list(sql: Sql, workspaceId: string | undefined): Promise<Answer> {
  const { workspaceNo } = await chosenWorkspace(sql, workspaceId)
  const keys = await keysOf(sql, workspaceNo)
  return {
    text: keys
      .map(({ id, kind, name, revokedAt }) =>
        [id, kind, name, revokedAt ? '(revoked)' : ''].join('  ').trimEnd(),
      )
      .join('\n'),
    json: keys.map(({ id, kind, name, appId, createdAt, revokedAt }) => ({
      id,
      kind,
      name,
      app_id: appId,
      created_at: createdAt,
      revoked_at: revokedAt,
    })),
  }
}

async function revoke(sql: Sql, id: string): Promise<Answer> {
  const workspaceNo = await workspaceOfKey(sql, id)
  if (workspaceNo === null) throw new Failure(`there is no key ${id}`)
  const revoked = await revokeKey(sql, { workspaceNo, id })
  const text = revoked ? `Key ${id} is revoked.` : `Key ${id} had been revoked before.`
  return { text, json: { id, revoked } }
}
