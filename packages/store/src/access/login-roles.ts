import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import pg from 'pg'
import { type Database, inTransaction } from '../connect.ts'
import { type DatabaseProgram, groupRole } from './roles.ts'

/** A role that one program logs in with. */
export interface LoginRole {
  program: DatabaseProgram
  name: string
  password: string
}

/** The usual name of a program's login role: roles belong to the server, so it names the database. */
export function loginRoleName(databaseName: string, program: DatabaseProgram): string {
  return `${databaseName}_${program}_login`
}

/** The URL that a program connects with: the owner's, with the program's name and password. */
export function loginUrl(ownerUrl: string, { name, password }: LoginRole): string {
  const url = new URL(ownerUrl)
  url.username = encodeURIComponent(name)
  url.password = encodeURIComponent(password)
  return url.href
}

/** The role that a program's URL names; null where it names no user or no password. */
export function loginRoleOf(program: DatabaseProgram, programUrl: string): LoginRole | null {
  if (!URL.canParse(programUrl)) return null
  const { username, password } = new URL(programUrl)
  if (username === '' || password === '') return null
  return { program, name: decodeURIComponent(username), password: decodeURIComponent(password) }
}

/** A password that needs no escaping in a URL. */
export function newRolePassword(): string {
  return randomBytes(24).toString('base64url')
}

/**
 * Creates the login roles, or gives those that are there the password named. Needs CREATEROLE. Fails
 * where a role of that name may do more than a program's: an owner's or a superuser's stays as it is.
 */
export async function createLoginRoles(
  database: Database,
  roles: readonly LoginRole[],
): Promise<void> {
  await inTransaction(database, async (sql) => {
    const { rows } = await sql.query<{ name: string }>(
      `select rolname as name from pg_roles
       where rolname = any($1) and (rolsuper or rolcreaterole or pg_has_role(oid,
         (select relowner from pg_class where oid = 'migrations'::regclass), 'usage'))`,
      [roles.map(({ name }) => name)],
    )
    const [mighty] = rows
    if (mighty) throw new Error(`the role ${mighty.name} may do more than a program should`)
    const { rows: named } = await sql.query<{ name: string }>('select current_database() as name')
    await sql.query(loginRolesSql(named[0]?.name ?? '', roles))
  })
}

/**
 * The statements that create these roles, for an administrator to run. Passwords stand in them as
 * SCRAM verifiers, as PostgreSQL itself stores them: a log of statements does not tell them.
 */
export function loginRolesSql(databaseName: string, roles: readonly LoginRole[]): string {
  return roles
    .map((role) => {
      const name = pg.escapeIdentifier(role.name)
      return [
        createRole(groupRole(role.program)),
        createRole(name),
        `alter role ${name} login password ${pg.escapeLiteral(scramVerifier(role.password))};`,
        `grant ${groupRole(role.program)} to ${name};`,
        `grant connect on database ${pg.escapeIdentifier(databaseName)} to ${name};`,
      ].join('\n')
    })
    .join('\n')
}

function createRole(name: string): string {
  return `do $$ begin create role ${name}; exception when duplicate_object then null; end $$;`
}

/** A password as PostgreSQL stores it (RFC 5802, RFC 7677): ASCII alone, which needs no SASLprep. */
function scramVerifier(password: string): string {
  const iterations = 4096
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const keyOf = (label: string) => createHmac('sha256', salted).update(label).digest()
  const storedKey = createHash('sha256').update(keyOf('Client Key')).digest('base64')
  const serverKey = keyOf('Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
