import { readdir, readFile } from 'node:fs/promises'
import { applyAccess, isAccessCurrent } from './access/apply.ts'
import { applyPolicies } from './access/apply-policies.ts'
import { type Database, inTransaction, type Sql } from './connect.ts'

const folder = new URL('../migrations/', import.meta.url)

// Any constant: whoever migrates first holds it until it is done.
const migrationLock = 7_482_113

/**
 * Applies the numbered migrations that are missing, in order, all or none, and then the grants and the
 * row-level security of `access/`, where they have changed. Returns the names of those applied. A role that does not
 * own the tables applies nothing: it fails where a migration is missing.
 */
export async function migrate(database: Database): Promise<string[]> {
  if (!(await ownsTables(database))) return refuseOldSchema(database)
  const names = await inTransaction(database, async (sql) => {
    await sql.query(`select pg_advisory_xact_lock(${migrationLock})`)
    await sql.query(
      `create table if not exists migrations (
         name text primary key, applied_at timestamptz not null default now())`,
    )
    const names = await missing(sql)
    for (const name of names) {
      await sql.query(await readFile(new URL(name, folder), 'utf8'))
      await sql.query('insert into migrations (name) values ($1)', [name])
    }
    if (names.length > 0 || !(await isAccessCurrent(sql))) await applyAccess(sql)
    return names
  })
  await applyPolicies(database)
  return names
}

/** Whether this role is the owner of the tables, or there are none yet. */
async function ownsTables(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ owns: boolean }>(
    `select coalesce((
       select pg_has_role(relowner, 'usage') from pg_class where oid = to_regclass('migrations')
     ), true) as owns`,
  )
  return rows[0]?.owns ?? false
}

async function refuseOldSchema(sql: Sql): Promise<string[]> {
  const [first] = await missing(sql)
  if (first === undefined) return []
  throw new Error(
    `the schema lacks ${first}, and this role does not own it: run pushkeep migrate as its owner`,
  )
}

async function missing(sql: Sql): Promise<string[]> {
  const done = new Set(await applied(sql))
  return (await known()).filter((name) => !done.has(name))
}

async function applied(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>('select name from migrations order by name')
  return rows.map(({ name }) => name)
}

async function known(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
}

/** How the schema stands to this version, in names of migrations. */
export interface SchemaState {
  applied: number
  missing: string[]
  /** Applied by a newer version. */
  unknown: string[]
}

/** Looks at the migrations of a database without applying any. */
export async function schemaState(sql: Sql): Promise<SchemaState> {
  const { rows } = await sql.query<{ isThere: boolean }>(
    `select to_regclass('migrations') is not null as "isThere"`,
  )
  const [done, ours] = [rows[0]?.isThere ? await applied(sql) : [], await known()]
  return {
    applied: done.length,
    missing: ours.filter((name) => !done.includes(name)),
    unknown: done.filter((name) => !ours.includes(name)),
  }
}
