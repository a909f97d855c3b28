import { randomBytes } from 'node:crypto'
import {
  connect,
  createLoginRoles,
  type Database,
  type DatabaseProgram,
  groupRole,
  indexedSettings,
  loginRoleName,
  loginUrl,
  newRolePassword,
} from '@pushkeep/store'
import { inject } from 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
    /** A migrated database of that server, which others are copied from. */
    postgresTemplate: string
    /** null where neither a Docker engine nor a `redis-server` is to be had. */
    redisUrl: string | null
  }
}

export interface TestDatabase extends AsyncDisposable {
  url: string
  /** As the owner of everything, for whom no row is hidden. */
  database: Database
  /** As a program connects: with what its role may do, and no more. Closed with the database. */
  as(program: DatabaseProgram, connectionsMax?: number): Database
  /** URL of a role that logs in as a program does; the role goes with the database. */
  urlAs(program: DatabaseProgram): Promise<string>
}

/** A fresh, migrated database of its own; dropped when it is disposed of. `settings` hold for all its sessions. */
export async function createTestDatabase(
  connectionsMax = 10,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestDatabase> {
  const server = connect({ url: inject('postgresUrl'), name: 'testkit', connectionsMax: 1 })
  const name = `test_${randomBytes(6).toString('hex')}`
  await server.query(`create database ${name} template ${inject('postgresTemplate')}`)
  for (const [setting, value] of Object.entries(settings)) {
    await server.query(`alter database ${name} set ${setting} to '${value}'`)
  }
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  const database = connect({ url: url.href, name: 'test', connectionsMax })
  const others: Database[] = []
  return {
    url: url.href,
    database,
    as(program, max = connectionsMax) {
      const own = { ...indexedSettings, role: groupRole(program) }
      const name = `test ${program}`
      const one = connect({ url: url.href, name, connectionsMax: max, settings: own })
      others.push(one)
      return one
    },
    async urlAs(program) {
      const role = { program, name: loginRoleName(name, program), password: newRolePassword() }
      await createLoginRoles(database, [role])
      return loginUrl(url.href, role)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([database, ...others].map((one) => one.end()))
      await server.query(`drop database ${name} with (force)`)
      // Those of `urlAs`, and those of an installation that ran on it.
      const { rows } = await server.query<{ login: string }>(
        `select rolname as login from pg_roles where starts_with(rolname, $1)`,
        [`${name}_`],
      )
      for (const { login } of rows) await server.query(`drop role ${login}`)
      await server.end()
    },
  }
}
