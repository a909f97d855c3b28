import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import type { Sql } from '../connect.ts'
import { databasePrograms, groupRole } from './roles.ts'

const file = new URL('./grants.sql', import.meta.url)

/** insufficient_privilege */
const notAllowed = '42501'

/**
 * Whether the present text of grants.sql is in force. A change of it, or a group role that has come
 * since, makes it false.
 */
export async function isAccessCurrent(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ digest: string }>('select digest from access_state')
  return rows[0]?.digest === (await digestNow(sql))
}

/**
 * Creates the group roles where they are missing and this role may, then grants each what grants.sql
 * says and nothing else. Call it as the owner of the tables, in a transaction. Where a group role is
 * missing and cannot be created it grants nothing: the installation works with one role.
 */
export async function applyAccess(sql: Sql): Promise<void> {
  for (const program of databasePrograms) await createGroup(sql, groupRole(program))
  if ((await groupsThere(sql)) === databasePrograms.length) {
    await revokeAll(sql)
    await sql.query(await readFile(file, 'utf8'))
  }
  await sql.query(
    `insert into access_state (digest) values ($1)
     on conflict (only_row) do update set digest = excluded.digest, applied_at = now()`,
    [await digestNow(sql)],
  )
}

/** How many of the group roles this server has. */
export async function groupsThere(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    'select count(*)::int as count from pg_roles where rolname = any($1)',
    [databasePrograms.map(groupRole)],
  )
  return rows[0]?.count ?? 0
}

// Roles belong to the server: those of another database's migration may come at the same moment.
async function createGroup(sql: Sql, name: string): Promise<void> {
  await sql.query('savepoint group_role')
  try {
    const { rows } = await sql.query('select from pg_roles where rolname = $1', [name])
    if (rows.length === 0) await sql.query(`create role ${name} nologin`)
    await sql.query('release savepoint group_role')
  } catch (error) {
    await sql.query('rollback to savepoint group_role')
    if (!isExpected(error)) throw error
  }
}

const roleIsThere = new Set(['42710', '23505'])

function isExpected(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false
  return error.code === notAllowed || roleIsThere.has(error.code ?? '')
}

async function revokeAll(sql: Sql): Promise<void> {
  const roles = databasePrograms.map(groupRole).join(', ')
  await sql.query(`do $$ begin
    execute format('revoke all on all tables in schema %I from ${roles}', current_schema());
    execute format('revoke all on all sequences in schema %I from ${roles}', current_schema());
    execute format('revoke all on all functions in schema %I from ${roles}', current_schema());
  end $$`)
}

async function digestNow(sql: Sql): Promise<string> {
  const text = `${await readFile(file, 'utf8')}${await groupsThere(sql)}`
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
