import type { Sql } from './connect.ts'

/** Below so many changed rows any plan will do. */
const changedRowsMin = 1000
/** A table that changed that many times over is not the one that the planner knows. */
const growth = 4

/**
 * Gathers statistics of tables that outgrew what the planner knows of them. Autovacuum does so within
 * minutes; until then a table that was filled a moment ago counts as empty, and a join by key is
 * planned as a scan of all of it, in statements that keep their plan.
 */
export async function analyzeOutgrown(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    `select s.relname as name
     from pg_stat_user_tables s join pg_class c on c.oid = s.relid
     where s.schemaname = current_schema() and c.relkind = 'r'
       and s.n_mod_since_analyze > greatest($1::bigint, $2::int * c.reltuples)
     order by s.relname`,
    [changedRowsMin, growth],
  )
  for (const { name } of rows) await sql.query('select analyze_table($1)', [name])
  return rows.map(({ name }) => name)
}
