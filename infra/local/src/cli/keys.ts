import { AllowedAddresses, type Role, roles } from '@pushkeep/domain'
import {
  createKey,
  type Database,
  type KeyKind,
  keysOf,
  type ListedKey,
  revokeKey,
  type Sql,
} from '@pushkeep/store'
import { Command, Option } from 'commander'
import { expiryOption } from './expiry.ts'
import { Failure, idOf } from './failure.ts'
import { nameOf } from './names.ts'
import { noted } from './noted.ts'
import { chosenApp, chosenWorkspace, workspaceOfKey } from './queries.ts'
import type { Answer, Run } from './session.ts'
import { line, timeText } from './view.ts'

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
    .option(
      '--installation',
      'for an operator of the whole installation, who also sees the queues of all workspaces and changes log levels',
    )
    .addOption(expiryOption('when it ends'))
    .option('--from <address...>', 'it works from these addresses and networks (10.0.0.0/8) only')
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
  installation?: true
  expires?: Date
  from?: string[]
}

async function create(database: Database, options: CreateOptions): Promise<Answer> {
  const { kind } = options
  if (kind === 'public' && options.role) throw new Failure('--role is for secret keys', 2)
  const role = kind === 'secret' ? (options.role ?? 'operate') : null
  const isInstallation = options.installation ?? false
  if (isInstallation && (kind === 'public' || options.app !== undefined)) {
    throw new Failure('--installation is for secret keys of all apps', 2)
  }
  const expiresAt = options.expires ?? null
  if (expiresAt !== null && expiresAt.getTime() <= Date.now()) {
    throw new Failure('--expires must be in the future', 2)
  }
  const allowedAddresses = addressesOf(options.from)
  const { workspaceNo, id: workspace_id } = await chosenWorkspace(database, options.workspace)
  const app = options.app === undefined ? null : await chosenApp(database, '--app', options.app)
  if (app && app.workspaceNo !== workspaceNo) {
    throw new Failure(`app ${app.id} is not in workspace ${workspace_id}`)
  }
  const name = nameOf(options.name ?? `${kind} key`)
  const appNo = app?.appNo ?? null
  const { id, key } = await noted(database, async (sql) => {
    const terms = { isInstallation, expiresAt, allowedAddresses }
    const key = { workspaceNo, appNo, kind, name, ...terms, ...(role && { role }) }
    const result = await createKey(sql, key)
    const target = { kind: 'key', id: result.id } as const
    const detail = {
      name,
      kind,
      role,
      ...(isInstallation && { installation: true }),
      ...(expiresAt && { expires_at: expiresAt.toISOString() }),
      ...(allowedAddresses && { allowed_addresses: allowedAddresses }),
    }
    return { result, deed: { workspaceNo, action: 'key.create', target, appNo, detail } }
  })
  return {
    text: `${key}\n\nIts id is ${id}. The key is not shown again.`,
    json: {
      id,
      key,
      kind,
      role,
      name,
      workspace_id,
      app_id: app?.id ?? null,
      is_installation: isInstallation,
      expires_at: expiresAt,
      allowed_addresses: allowedAddresses,
    },
  }
}

async function list(sql: Sql, workspaceId: string | undefined): Promise<Answer> {
  const { workspaceNo } = await chosenWorkspace(sql, workspaceId)
  const keys = (await keysOf(sql, { workspaceNo, appNo: null })).toReversed()
  return {
    text: keys.map((key) => line(cellsOf(key))).join('\n'),
    json: keys.map((key) => ({
      id: key.id,
      kind: key.kind,
      role: key.role,
      name: key.name,
      app_id: key.appId,
      created_at: key.createdAt,
      revoked_at: key.revokedAt,
      is_installation: key.isInstallation,
      expires_at: key.expiresAt,
      allowed_addresses: key.allowedAddresses,
      used_at: key.usedAt,
      exposed_at: key.exposedAt,
    })),
  }
}

function cellsOf({ id, kind, role, name, ...key }: ListedKey): string[] {
  const { revokedAt, isInstallation, expiresAt, allowedAddresses, usedAt, exposedAt } = key
  const notes = [
    revokedAt && '(revoked)',
    isInstallation && 'of the installation',
    expiresAt &&
      `${expiresAt <= new Date() ? 'ended' : 'ends'} ${timeText(expiresAt.toISOString())}`,
    allowedAddresses && `from ${allowedAddresses.join(', ')}`,
    usedAt && `used ${timeText(usedAt.toISOString())}`,
    exposedAt && `seen in a browser or an app ${timeText(exposedAt.toISOString())}`,
  ]
  const said = notes.filter((note) => note !== null && note !== false)
  return [id, role ? `${kind}, ${role}` : kind, name, ...said]
}

/** Addresses as they are kept; null: any. */
function addressesOf(given: string[] | undefined): string[] | null {
  if (given === undefined) return null
  const checked = AllowedAddresses.safeParse(given.flatMap((text) => text.split(',')))
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw new Failure(`--from ${issue?.message ?? 'is wrong'}`, 2)
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
