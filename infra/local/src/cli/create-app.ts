import { type IdentityMode, identityModes, modeOfNewApp, strictestMode } from '@pushkeep/domain'
import { createApp, identityModesOf } from '@pushkeep/store'
import { Command, Option } from 'commander'
import { Failure } from './failure.ts'
import { nameOf } from './names.ts'
import { deedOn, noted } from './noted.ts'
import { chosenWorkspace } from './queries.ts'
import type { Run } from './session.ts'

interface CreateOptions {
  workspace?: string
  identity?: IdentityMode
}

/** `app create <name>` */
export function createCommand(run: Run): Command {
  return new Command('create')
    .description('create an app')
    .argument('<name>')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .addOption(
      new Option(
        '--identity <mode>',
        'whether public keys need identity tokens of your backend to name a person: off, log (admit, and log), required (the default)',
      ).choices(identityModes),
    )
    .action((name: string, options: CreateOptions) =>
      run(async ({ database }) => {
        const given = nameOf(name)
        const { workspaceNo, id: workspace_id } = await chosenWorkspace(database, options.workspace)
        const others = [...(await identityModesOf(database, workspaceNo)).values()]
        const chosen = modeOfNewApp(options.identity, others)
        if (chosen.kind === 'ask') throw hasToSay(chosen.strictest)
        const { mode } = chosen
        const { id } = await noted(database, async (sql) => {
          const result = await createApp(sql, workspaceNo, given, mode)
          const detail = { name: result.name, identity_mode: mode }
          return { result, deed: deedOn(result, 'app.create', detail) }
        })
        const note = noteOn(strictestMode([mode, ...others]))
        const json = { id, name: given, workspace_id, identity_mode: mode }
        return { text: id, note, json }
      }),
    )
}

function hasToSay(strictest: IdentityMode): Failure {
  return new Failure(
    `the apps of this workspace have the identity mode ${strictest}, and the strictest mode holds for all of them: ` +
      `say --identity ${strictest}, or --identity required to ask all their phones for identity tokens`,
    2,
  )
}

/** What the mode that holds for the workspace means for phones. */
function noteOn(held: IdentityMode): string {
  return held === 'required'
    ? 'Identity mode required: public keys of this workspace name no person without an identity token. Add the key that your backend signs with: pushkeep app identity add.'
    : `Identity mode ${held}: everyone who reads the public key out of the app may register a phone for any person. Ask for identity tokens: pushkeep app identity mode <app> required.`
}
