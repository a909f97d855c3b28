import { type Attributes, attributeChange } from '@pushkeep/domain'
import { type Sql, withRepeat } from './connect.ts'

/** A person as lines of an import name them. */
export interface PersonToImport {
  workspaceNo: number
  id: string
  /** null: only named, by a device. */
  attributes: Attributes | null
  suppressed: boolean
}

// Of somebody blocked nothing changes, and no number is told: their devices are nobody's. Whoever is only named is added where they are missing, and else left as they are. Those who are known
// are updated by join: in `on conflict do update` each row would look for its own line in all of them.
const importText = `
  with said as materialized (
    select s.*, p.person_no, p.blocked_at is not null as is_blocked
    from json_to_recordset($1) as s(
      workspace_no int, id text, set jsonb, removed text[], suppressed boolean, is_named boolean)
    left join lateral (
      select person_no, blocked_at from people
      where workspace_no = s.workspace_no and id = s.id limit 1) p on true
  ), locked as materialized (
    select p.person_no from people p
    where p.person_no in (select person_no from said where not is_named and not is_blocked)
    order by p.person_no for no key update
  ), changed as (
    update people p
    set attributes = (p.attributes || s.set) - s.removed,
        attribute_times = p.attribute_times - s.removed - array(select jsonb_object_keys(s.set)),
        suppressed_at = coalesce(p.suppressed_at, case when s.suppressed then now() end),
        updated_at = now()
    from said s join locked using (person_no)
    where p.person_no = s.person_no
  ), added as (
    insert into people (workspace_no, id, attributes, suppressed_at)
    select workspace_no, id, coalesce(set, '{}'), case when suppressed then now() end
    from said where person_no is null order by workspace_no, id
    returning person_no, workspace_no, id
  )
  select person_no::float8 as no, workspace_no as "workspaceNo", id
  from said where person_no is not null and not is_blocked
  union all
  select person_no::float8, workspace_no, id from added`

const findText = `
  select coalesce(json_agg(json_build_array(named.id, p.person_no)), '[]') as found
  from json_array_elements_text($2) as named(id)
  cross join lateral (
    select person_no from people
    where workspace_no = $1 and id = named.id and blocked_at is null limit 1) p`

/** The numbers of those people who are there, by their ids; not of somebody blocked. */
export async function findPeople(
  sql: Sql,
  workspaceNo: number,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ found: [id: string, no: number][] }>({
    name: 'find-people-to-import',
    text: findText,
    values: [workspaceNo, JSON.stringify(ids)],
  })
  return new Map(rows[0]?.found)
}

/** Adds people and merges attributes (R8). Each may be named once. Returns their numbers. */
export async function importPeople(
  sql: Sql,
  people: readonly PersonToImport[],
): Promise<Map<string, number>> {
  const rows = people.map(({ workspaceNo, id, attributes, suppressed }) => {
    const base = { workspace_no: workspaceNo, id, is_named: attributes === null }
    if (attributes === null) return base
    const { set, remove } = attributeChange(attributes)
    return { ...base, set, removed: remove, suppressed }
  })
  const found = await withRepeat(() =>
    sql.query<{ no: number; workspaceNo: number; id: string }>({
      name: 'import-people',
      text: importText,
      values: [JSON.stringify(rows)],
    }),
  )
  return new Map(found.rows.map(({ no, workspaceNo, id }) => [`${workspaceNo} ${id}`, no]))
}
