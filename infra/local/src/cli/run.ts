import { prepareQueues } from '@pushkeep/queues'
import { withSecretFiles } from '@pushkeep/runtime'
import { createLoginRoles, migrate } from '@pushkeep/store'
import { Command, CommanderError } from 'commander'
import { devicesCommand } from './api/devices.ts'
import { messagesCommand } from './api/messages.ts'
import { peopleCommand } from './api/people.ts'
import { type RunApi, withApi } from './api/run.ts'
import { sendCommand } from './api/send.ts'
import { appCommand } from './apps.ts'
import { auditCommand } from './audit.ts'
import { databaseCommand, rolesNamed } from './database.ts'
import { doctorCommand } from './doctor/command.ts'
import { encryptionCommand } from './encryption.ts'
import { exportCommand } from './export/command.ts'
import { failureOf } from './failure.ts'
import { importCommand } from './import/command.ts'
import { keyCommand } from './keys.ts'
import { print, printError, printFailure } from './print.ts'
import { type Answer, databaseUrl, type Env, type Run, withSession } from './session.ts'
import { workspaceCommand } from './workspaces.ts'

/** Variables whose value may stand in a file (`NAME_FILE`). */
const secrets = [
  'DATABASE_URL',
  'REGISTRY_DATABASE_URL',
  'SENDER_DATABASE_URL',
  'WORKERS_DATABASE_URL',
  'ADMIN_DATABASE_URL',
  'REDIS_URL',
  'PUSHKEEP_ENCRYPTION_KEY',
  'PUSHKEEP_IDENTITY_KEY',
  'PUSHKEEP_SECRET_KEY',
]

/** Runs one command line. Returns the exit code: 0, 1 (could not be done) or 2 (not understood). */
export async function runCli(args: string[], environment: Env): Promise<number> {
  const env = { ...environment }
  const program = new Command('pushkeep')
  let exitCode = 0
  const say = (answer: Answer) => {
    if (answer.isSaid) printError(answer.text)
    else print(program.opts().json ? JSON.stringify(answer.json, null, 2) : answer.text)
    if (answer.note && !program.opts().json) printError(answer.note)
    exitCode = answer.exitCode ?? 0
  }
  const run: Run = async (work, options) => say(await withSession(env, work, options?.connections))
  const runApi: RunApi = async (work) => say(await withApi(env, work))
  program
    .description('Pushkeep from the command line: send, look, move people in and out, set up')
    .option('--json', 'answer in JSON')
    .addCommand(sendCommand(runApi))
    .addCommand(messagesCommand(runApi))
    .addCommand(peopleCommand(runApi))
    .addCommand(devicesCommand(runApi))
    .addCommand(workspaceCommand(run))
    .addCommand(appCommand(run))
    .addCommand(keyCommand(run))
    .addCommand(auditCommand(run))
    .addCommand(encryptionCommand(run))
    .addCommand(importCommand(run))
    .addCommand(exportCommand(run))
    .addCommand(migrateCommand(env, run))
    .addCommand(databaseCommand(env, run))
    .addCommand(doctorCommand(env, say))
    .addHelpText('after', help)
  for (const command of [program, ...descendants(program)]) {
    command.exitOverride().configureOutput({ outputError: () => {} })
  }
  try {
    Object.assign(env, withSecretFiles(env, secrets))
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    return report(error)
  }
}

const help = `
send, messages, people and devices speak to the services: PUSHKEEP_SENDER_URL, PUSHKEEP_REGISTRY_URL,
PUSHKEEP_SECRET_KEY. The others work on the database: DATABASE_URL, and the keys that secrets are sealed
with, PUSHKEEP_ENCRYPTION_KEY and PUSHKEEP_IDENTITY_KEY. What is not set is that of the installation that
./scripts/start runs here. No command shows a token; export alone writes them, into a file.`

/**
 * Brings the schema up to date, that of the queues where they are in PostgreSQL, and the login roles that
 * the environment names.
 */
function migrateCommand(env: Env, run: Run): Command {
  return new Command('migrate').description('bring the database to the newest schema').action(() =>
    run(async ({ database }) => {
      const applied = await migrate(database)
      if (!env.REDIS_URL) await prepareQueues({ kind: 'postgres', url: await databaseUrl(env) })
      const roles = rolesNamed(env)
      if (roles) await createLoginRoles(database, roles)
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
      printFailure(error.message.replace(/^error: /, '').replace('\n(Did you', ' (Did you'))
    }
    return 2
  }
  const failure = failureOf(error)
  printFailure(failure.message)
  return failure.exitCode
}
