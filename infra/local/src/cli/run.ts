import { migrate } from '@pushkeep/store'
import { Command, CommanderError } from 'commander'
import { appCommand } from './apps.ts'
import { exportCommand } from './export/command.ts'
import { failureOf } from './failure.ts'
import { importCommand } from './import/command.ts'
import { keyCommand } from './keys.ts'
import { type Answer, type Env, type Run, withSession } from './session.ts'
import { workspaceCommand } from './workspaces.ts'

/** Runs one command line. Returns the exit code: 0, 1 (could not be done) or 2 (not understood). */
export async function runCli(args: string[], env: Env): Promise<number> {
  const program = new Command('pushkeep')
  let exitCode = 0
  const say = (answer: Answer) => {
    if (answer.isSaid) console.error(answer.text)
    else console.log(program.opts().json ? JSON.stringify(answer.json, null, 2) : answer.text)
    exitCode = answer.exitCode ?? 0
  }
  const run: Run = async (work, options) => say(await withSession(env, work, options?.connections))
  program
    .description('Workspaces, apps, provider credentials and keys of a Pushkeep installation')
    .option('--json', 'answer in JSON')
    .addCommand(workspaceCommand(run))
    .addCommand(appCommand(run))
    .addCommand(keyCommand(run))
    .addCommand(importCommand(run))
    .addCommand(exportCommand(run))
    .addCommand(migrateCommand(run))
    .addHelpText('after', help)
  for (const command of [program, ...descendants(program)]) {
    command.exitOverride().configureOutput({ outputError: () => {} })
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    return report(error)
  }
}

const help = `
The database is DATABASE_URL, the encryption key PUSHKEEP_ENCRYPTION_KEY; where they are not set,
those of the installation that ./scripts/start runs here.`

function migrateCommand(run: Run): Command {
  return new Command('migrate').description('bring the database to the newest schema').action(() =>
    run(async ({ database }) => {
      const applied = await migrate(database)
      const text = applied.length === 0 ? 'The schema is up to date.' : applied.join('\n')
      return { text, json: { applied } }
    }),
  )
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)])
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help that was asked for is no error; help in place of a missing subcommand is.
    if (error.exitCode === 0) return 0
    if (!error.message.startsWith('(')) {
      console.error(`pushkeep: ${error.message.replace(/^error: /, '')}`)
    }
    return 2
  }
  const failure = failureOf(error)
  console.error(`pushkeep: ${failure.message}`)
  return failure.exitCode
}
