import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { type Database, inTransaction, type Sql } from '../connect.ts'
import { groupsThere } from './apply.ts'
import { type Policy, policiesOf, tenantPrograms, tenantTables, wholePrograms } from './policies.ts'
import { databasePrograms, groupRole } from './roles.ts'

// Any constant: of several processes one applies policies.
const policyLock = 7_482_114

/** lock_not_available, deadlock_detected: a statement of somebody's was in the way. */
const inTheWay = new Set(['55P03', '40P01'])
const triesMax = 100

/**
 * Makes row-level security what policies.ts says. Each table by itself, with a lock that waits a second at
 * most and is tried again: statements of programs that run are never held up for longer. Call it as the
 * owner of the tables; without the group roles it does nothing. Returns the tables that it changed.
 */
export async function applyPolicies(database: Database): Promise<string[]> {
  if ((await groupsThere(database)) < databasePrograms.length) return []
  const changed = []
  for (const { table, policies } of await outdated(database)) {
    if (await changeWithPatience(database, table, policies)) changed.push(table)
  }
  return changed
}

interface Wanted {
  table: string
  policies: ReadonlyMap<string, string>
}

/** Policies of a table by name. The name holds a digest of the text, so that a change of it shows. */
function wantedOf(table: string, policies: readonly Policy[]): Wanted {
  const tenants = tenantPrograms.map(groupRole).join(', ')
  const whole = wholePrograms.map(groupRole).join(', ')
  const texts = [
    ...policies.map((policy) => `for ${policy.command} to ${tenants} ${clauses(policy)}`),
    `for all to ${whole} using (true) with check (true)`,
  ]
  const named = texts.map((text): [string, string] => {
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 12)
    return [`pushkeep_${digest}`, text]
  })
  return { table, policies: new Map(named) }
}

function clauses({ using, check }: Policy): string {
  return [using && `using (${using})`, check && `with check (${check})`].filter(Boolean).join(' ')
}

async function outdated(sql: Sql): Promise<Wanted[]> {
  const { rows } = await sql.query<{ table: string; isOn: boolean; names: string[] }>(
    `select c.relname as "table", c.relrowsecurity as "isOn",
            array(select polname::text from pg_policy where polrelid = c.oid) as names
     from pg_class c
     where c.relnamespace = current_schema()::regnamespace and c.relname = any($1)`,
    [Object.keys(tenantTables)],
  )
  const there = new Map(rows.map((row) => [row.table, row]))
  return Object.entries(tenantTables).flatMap(([table, tie]) => {
    const wanted = wantedOf(table, policiesOf(table, tie))
    const row = there.get(table)
    if (!row) return []
    const ours = row.names.filter((name) => name.startsWith('pushkeep_'))
    const isSame =
      ours.length === wanted.policies.size && ours.every((name) => wanted.policies.has(name))
    return row.isOn && isSame ? [] : [wanted]
  })
}

async function changeWithPatience(
  database: Database,
  table: string,
  policies: Wanted['policies'],
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransaction(database, (sql) => change(sql, table, policies))
    } catch (error) {
      const isInTheWay = error instanceof pg.DatabaseError && inTheWay.has(error.code ?? '')
      if (!isInTheWay || attempt >= triesMax) throw error
      await wait(50 + Math.random() * 200)
    }
  }
}

/** Replaces the policies of one table; false where another process was faster. */
async function change(sql: Sql, table: string, policies: Wanted['policies']): Promise<boolean> {
  await sql.query(`select pg_advisory_xact_lock(${policyLock})`)
  const stillWanted = (await outdated(sql)).some((one) => one.table === table)
  if (!stillWanted) return false
  await sql.query(`set local lock_timeout = '1s'`)
  await sql.query(`lock table ${table} in access exclusive mode`)
  const { rows } = await sql.query<{ name: string }>(
    `select quote_ident(polname) as name from pg_policy
     where polrelid = $1::regclass and starts_with(polname, 'pushkeep_')`,
    [table],
  )
  for (const { name } of rows) await sql.query(`drop policy ${name} on ${table}`)
  for (const [name, text] of policies) {
    await sql.query(`create policy ${name} on ${table} ${text}`)
  }
  await sql.query(`alter table ${table} enable row level security`)
  return true
}
