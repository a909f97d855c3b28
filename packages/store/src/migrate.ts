import { readdir, readFile } from 'node:fs/promises'
import { type Database, inTransaction, type Sql } from './connect.ts'

const folder = new URL('../migrations/', import.meta.url)

// Any constant: whoever migrates first holds it until it is done.
const migrationLock = 7_482_113

/** Applies the numbered migrations that are missing, in order, all or none. Returns their names. */
export async function migrate(database: Database): Promise<string[]> {
  return inTransaction(database, async (sql) => {
    await sql.query(`select pg_advisory_xact_lock(${migrationLock})`)
    await sql.query(
      `create table if not exists migrations (
         name text primary key, applied_at timestamptz not null default now())`,
    )
    const applied: string[] = []
    for (const name of await missing(sql)) {
      await sql.query(await readFile(new URL(name, folder), 'utf8'))
      await sql.query('insert into migrations (name) values ($1)', [name])
      applied.push(name)
    }
    return applied
  })
}

async function missing(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>('select name from migrations')
  const done = new Set(rows.map((row) => row.name))
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql'))
  return files.filter((name) => !done.has(name)).sort()
}
