import type { Sql } from '../connect.ts'
import { databasePrograms, groupRole } from './roles.ts'

/** How programs are connected, and what stands in the way of a role each. */
export interface AccessState {
  /** Group roles that this server does not have. */
  missingGroups: string[]
  /** Programs that run now and connect as a superuser or as the tables' owner. */
  mighty: { program: string; role: string }[]
}

// By what `connect` tells of each program (application_name).
const names = ['token-registry', 'push-sender', 'pushkeep workers']

/** Looks at the roles of this server and at who is connected. */
export async function accessState(sql: Sql): Promise<AccessState> {
  const groups = databasePrograms.map(groupRole)
  const { rows } = await sql.query<AccessState>(
    `select (
       select coalesce(json_agg(g order by g), '[]') from unnest($1::text[]) g
       where not exists (select from pg_roles where rolname = g)) as "missingGroups", (
       select coalesce(json_agg(json_build_object('program', program, 'role', role)
                                order by program), '[]')
       from (
         select distinct a.application_name as program, r.rolname as role
         from pg_stat_activity a join pg_roles r on r.oid = a.usesysid
         where a.datname = current_database() and a.application_name = any($2)
           and pg_has_role(r.oid,
             (select relowner from pg_class where oid = 'migrations'::regclass), 'usage')
       ) found) as mighty`,
    [groups, names],
  )
  const [row] = rows
  if (!row) throw new Error('a statement that returns a row returned none')
  return row
}
