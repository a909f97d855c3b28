import { type Role, roles } from '@pushkeep/domain'
import {
  createKey,
  type Database,
  type KeyKind,
  keysOf,
  revokeKey,
  type Sql,
} from '@pushkeep/store'
import { Command, Option } from 'commander'
import { Failure, idOf } from './failure.ts'
import { nameOf } from './names.ts'
import { noted } from './noted.ts'
import { chosenApp, chosenWorkspace, workspaceOfKey } from './queries.ts'
import type { Answer, Run } from './session.ts'
import { line } from './view.ts'

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
    .addOption(
      new Option('--role <role>', 'what a secret key may do (default: operate)').choices(roles),
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
  role?: Role
  workspace?: string
  app?: string
  name?: string
}

async function create(database: Database, options: CreateOptions): Promise<Answer> {
  const { kind } = options
  if (kind === 'public' && options.role) throw new Failure('--role is for secret keys', 2)
  const role = kind === 'secret' ? (options.role ?? 'operate') : null
  const { workspaceNo, id: workspace_id } = await chosenWorkspace(database, options.workspace)
  const app = options.app === undefined ? null : await chosenApp(database, '--app', options.app)
  if (app && app.workspaceNo !== workspaceNo) {
    throw new Failure(`app ${app.id} is not in workspace ${workspace_id}`)
  }
  const name = nameOf(options.name ?? `${kind} key`)
  const appNo = app?.appNo ?? null
  const { id, key } = await noted(database, async (sql) => {
    const result = await createKey(sql, { workspaceNo, appNo, kind, name, ...(role && { role }) })
    const target = { kind: 'key', id: result.id } as const
    const detail = { name, kind, role }
    return { result, deed: { workspaceNo, action: 'key.create', target, appNo, detail } }
  })
  return {
    text: `${key}\n\nIts id is ${id}. The key is not shown again.`,
    json: { id, key, kind, role, name, workspace_id, app_id: app?.id ?? null },
  }
}

async function list(sql: Sql, workspaceId: string | undefined): Promise<Answer> {
  const { workspaceNo } = await chosenWorkspace(sql, workspaceId)
  const keys = (await keysOf(sql, { workspaceNo, appNo: null })).toReversed()
  return {
    text: keys
      .map(({ id, kind, role, name, revokedAt }) =>
        line([id, role ? `${kind}, ${role}` : kind, name, revokedAt ? '(revoked)' : '']),
      )
      .join('\n'),
    json: keys.map(({ id, kind, role, name, appId, createdAt, revokedAt }) => ({
      id,
      kind,
      role,
      name,
      app_id: appId,
      created_at: createdAt,
      revoked_at: revokedAt,
    })),
  }
}

async function revoke(database: Database, id: string): Promise<Answer> {
  const workspaceNo = await workspaceOfKey(database, id)
  if (workspaceNo === null) throw new Failure(`there is no key ${id}`)
  const revoked = await noted(database, async (sql) => {
    const result = await revokeKey(sql, { workspaceNo, id })
    const target = { kind: 'key', id } as const
    const deed = { workspaceNo, action: 'key.revoke', target, appNo: null, detail: {} } as const
    return { result, deed: result ? deed : null }
  })
  const text = revoked ? `Key ${id} is revoked.` : `Key ${id} had been revoked before.`
  return { text, json: { id, revoked } }
}
