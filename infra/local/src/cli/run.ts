import { migrate } from '@pushkeep/store'
import { Command, CommanderError } from 'commander'
import { appCommand } from './apps.ts'
import { auditCommand } from './audit.ts'
import { failureOf } from './failure.ts'
import { keyCommand } from './keys.ts'
import { type Env, type Run, withSession } from './session.ts'
import { workspaceCommand } from './workspaces.ts'

/** Runs one command line. Returns the exit code: 0, 1 (could not be done) or 2 (not understood). */
export async function runCli(args: string[], env: Env): Promise<number> {
  const program = new Command('pushkeep')
  const run: Run = async (work) => {
    const { text, json } = await withSession(env, work)
    console.log(program.opts().json ? JSON.stringify(json, null, 2) : text)
  }
  program
    .description('Workspaces, apps, provider credentials and keys of a Pushkeep installation')
    .option('--json', 'answer in JSON')
    .addCommand(workspaceCommand(run))
    .addCommand(appCommand(run))
    .addCommand(keyCommand(run))
    .addCommand(auditCommand(run))
    .addCommand(migrateCommand(run))
    .addHelpText('after', help)
  for (const command of [program, ...descendants(program)]) {
    command.exitOverride().configureOutput({ outputError: () => {} })
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    return report(error)
  }
}

const help = `
The database is DATABASE_URL, the keys that secrets are sealed with PUSHKEEP_ENCRYPTION_KEY and
PUSHKEEP_IDENTITY_KEY; where they are not set, those of the installation that ./scripts/start runs here.`

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
