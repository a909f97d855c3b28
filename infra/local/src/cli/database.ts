import {
  createLoginRoles,
  type DatabaseProgram,
  databasePrograms,
  type LoginRole,
  loginRoleName,
  loginRoleOf,
  loginRolesSql,
  loginUrl,
  newRolePassword,
} from '@pushkeep/store'
import { Command } from 'commander'
import { Failure } from './failure.ts'
import { databaseUrl, type Env, type Run } from './session.ts'

/** The URL that each program connects with, by the variable that names it to this command. */
const variables: Record<DatabaseProgram, string> = {
  registry: 'REGISTRY_DATABASE_URL',
  sender: 'SENDER_DATABASE_URL',
  workers: 'WORKERS_DATABASE_URL',
  admin: 'ADMIN_DATABASE_URL',
}

/** `database roles` */
export function databaseCommand(env: Env, run: Run): Command {
  const command = new Command('database').description('the roles that programs connect with')
  command
    .command('roles')
    .description('give each program a database role of its own, with what it needs and no more')
    .option('--sql', 'print the statements for an administrator, and change nothing')
    .action((options: { sql?: true }) =>
      run(async ({ database }) => {
        const ownerUrl = await databaseUrl(env)
        const roles = rolesOf(env, ownerUrl)
        if (options.sql) {
          const sql = loginRolesSql(databaseNameOf(ownerUrl), roles)
          return { text: `${sql}\n${urlLines(ownerUrl, roles, '-- ')}`, json: { sql } }
        }
        await createLoginRoles(database, roles)
        return {
          text: urlLines(ownerUrl, roles, ''),
          json: Object.fromEntries(
            roles.map((role) => [variables[role.program], loginUrl(ownerUrl, role)]),
          ),
        }
      }),
    )
  return command
}

/** The login roles that the environment's URLs name (`REGISTRY_DATABASE_URL` and so on); null: none. */
export function rolesNamed(env: Env): LoginRole[] | null {
  const named = databasePrograms.filter((program) => env[variables[program]])
  if (named.length === 0) return null
  return named.map((program) => {
    const role = loginRoleOf(program, env[variables[program]] ?? '')
    if (!role) throw new Failure(`${variables[program]} must be a URL with a user and a password`)
    return role
  })
}

function rolesOf(env: Env, ownerUrl: string): LoginRole[] {
  const name = databaseNameOf(ownerUrl)
  return (
    rolesNamed(env) ??
    databasePrograms.map((program) => ({
      program,
      name: loginRoleName(name, program),
      password: newRolePassword(),
    }))
  )
}

function databaseNameOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1))
}

function urlLines(ownerUrl: string, roles: readonly LoginRole[], prefix: string): string {
  return roles
    .map((role) => `${prefix}${variables[role.program]}=${loginUrl(ownerUrl, role)}`)
    .join('\n')
}
