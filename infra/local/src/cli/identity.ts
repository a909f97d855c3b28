import {
  type IdentityAlgorithm,
  type IdentityMode,
  identityAlgorithms,
  identityModes,
  strictestMode,
} from '@pushkeep/domain'
import {
  type App,
  type Database,
  deleteIdentityKey,
  identitiesOf,
  identityModesOf,
  putIdentityKey,
  readIdentityKey,
  type Sql,
  setIdentityMode,
} from '@pushkeep/store'
import { Argument, Command, Option } from 'commander'
import { Failure } from './failure.ts'
import { deedOn, noted } from './noted.ts'
import { chosenApp } from './queries.ts'
import type { Answer, Run } from './session.ts'
import { textOf } from './text-file.ts'

/** `app identity mode`, `app identity add`, `app identity remove`, `app identity list` */
export function identityCommand(run: Run): Command {
  const command = new Command('identity').description(
    'identity tokens: JWTs of your backend, without which a public key names no person',
  )
  command
    .command('mode')
    .description('whether the app asks for them: off, log (admit, and log), required')
    .argument('<app>', 'the app')
    .addArgument(new Argument('<mode>').choices(identityModes))
    .action((id: string, mode: IdentityMode) =>
      run(async ({ database }) =>
        changeMode(database, await chosenApp(database, '<app>', id), mode),
      ),
    )
  command
    .command('remove <app> <kid>')
    .description('take a key away: tokens that it signed are refused within seconds')
    .action((id: string, kid: string) =>
      run(async ({ database }) => remove(database, await chosenApp(database, '<app>', id), kid)),
    )
  command
    .command('list <app>')
    .description("show the app's mode and keys, without secrets")
    .action((id: string) =>
      run(async ({ database }) => list(database, await chosenApp(database, '<app>', id))),
    )
  return command.addCommand(addCommand(run))
}

interface AddOptions {
  algorithm: IdentityAlgorithm
  kid: string
  keyFile: string
}

function addCommand(run: Run): Command {
  return new Command('add')
    .description('add a key, or replace the one of the same name')
    .argument('<app>', 'the app')
    .addOption(
      new Option('--algorithm <name>', 'how your backend signs')
        .choices(identityAlgorithms)
        .makeOptionMandatory(),
    )
    .requiredOption('--kid <name>', "the key's name, as it stands in the header of your tokens")
    .requiredOption('--key-file <path>', 'the public key (PEM), or for HS256 the shared secret')
    .action((id: string, options: AddOptions) =>
      run(async ({ database, identityKey }) => {
        const app = await chosenApp(database, '<app>', id)
        const { algorithm, kid } = options
        if (!/^[\x21-\x7e]{1,200}$/.test(kid)) {
          throw new Failure('--kid must be 1 to 200 visible ASCII characters', 2)
        }
        const key = (await textOf('--key-file', options.keyFile)).trim()
        const read = readIdentityKey(algorithm, key)
        if (read.kind === 'problem') throw new Failure(`--key-file ${read.message}`)
        const sealKey = algorithm === 'HS256' ? await identityKey() : null
        await noted(database, async (sql) => {
          await putIdentityKey(sql, { appNo: app.appNo, kid, algorithm, key }, sealKey)
          return { result: null, deed: deedOn(app, 'identity.add-key', { kid, algorithm }) }
        })
        return {
          text: `Tokens of app ${app.id} may be signed with ${kid} (${algorithm}).`,
          json: { app_id: app.id, kid, algorithm },
        }
      }),
    )
}

async function changeMode(database: Database, app: App, mode: IdentityMode): Promise<Answer> {
  const { keys } = await identityOf(database, app)
  if (mode === 'required' && keys.length === 0) {
    throw new Failure('the app has no key yet: pushkeep app identity add')
  }
  await noted(database, async (sql) => {
    await setIdentityMode(sql, app.appNo, mode)
    return { result: null, deed: deedOn(app, 'identity.set', { mode }) }
  })
  const held = strictestMode([...(await identityModesOf(database, app.workspaceNo)).values()])
  return {
    text: `Identity tokens of app ${app.id}: ${mode}.`,
    note: `The strictest mode holds for all apps of the workspace: ${held}.`,
    json: { app_id: app.id, mode, held_to: held },
  }
}

async function remove(database: Database, app: App, kid: string): Promise<Answer> {
  const { mode, keys } = await identityOf(database, app)
  if (mode === 'required' && keys.length === 1 && keys[0]?.kid === kid) {
    throw new Failure('this is the last key, and the app requires tokens: change the mode first')
  }
  await noted(database, async (sql) => {
    if (!(await deleteIdentityKey(sql, app.appNo, kid))) {
      throw new Failure(`app ${app.id} has no key ${kid}`)
    }
    return { result: null, deed: deedOn(app, 'identity.delete-key', { kid }) }
  })
  return { text: `Key ${kid} of app ${app.id} is gone.`, json: { app_id: app.id, kid } }
}

async function list(sql: Sql, app: App): Promise<Answer> {
  const { mode, keys } = await identityOf(sql, app)
  const shown = keys.map(({ kid, algorithm, publicKey, createdAt }) => ({
    kid,
    algorithm,
    public_key: publicKey,
    created_at: createdAt,
  }))
  const lines = shown.map(({ kid, algorithm }) => `${kid}  ${algorithm}`)
  return { text: [mode, ...lines].join('\n'), json: { app_id: app.id, mode, keys: shown } }
}

async function identityOf(sql: Sql, app: App) {
  const all = await identitiesOf(sql, app.workspaceNo)
  const found = all.find(({ appNo }) => appNo === app.appNo)
  if (!found) throw new Failure(`there is no app ${app.id}`)
  return found
}
