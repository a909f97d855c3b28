import { type Attributes, attributeChange } from '@pushkeep/domain'
import { listOf, textListOf } from './array-literal.ts'
import { type Sql, withRepeat } from './connect.ts'

/** A person as lines of an import tell of them. */
export interface PersonToImport {
  workspaceNo: number
  id: string
  attributes: Attributes
  suppressed: boolean
}

// Of somebody blocked nothing changes. Those who are known are updated by join: in `on conflict do update`
// each row would look for its own line in all of them.
const importText = `
  with said as materialized (
    select s.*, p.person_no, p.blocked_at is not null as is_blocked
    from (
      select unnest($1::int[]) as workspace_no, unnest($2::text[]) as id,
             json_array_elements($3)::jsonb as set, json_array_elements($4) as removed,
             unnest($5::boolean[]) as suppressed) s
    left join lateral (
      select person_no, blocked_at from people
      where workspace_no = s.workspace_no and id = s.id limit 1) p on true
  ), locked as materialized (
    select p.person_no from people p
    where p.person_no in (select person_no from said where not is_blocked)
    order by p.person_no for no key update
  ), changed as (
    update people p
    set attributes = (p.attributes || s.set) - array(select json_array_elements_text(s.removed)),
        attribute_times = p.attribute_times - array(select json_array_elements_text(s.removed))
          - array(select jsonb_object_keys(s.set)),
        suppressed_at = coalesce(p.suppressed_at, case when s.suppressed then now() end),
        is_vouched = true,
        email_vouched = case when s.set ? 'email' then true else p.email_vouched end,
        updated_at = now()
    from said s join locked using (person_no)
    where p.person_no = s.person_no
  )
  insert into people (workspace_no, id, attributes, suppressed_at, email_vouched)
  select workspace_no, id, set, case when suppressed then now() end, true
  from said where person_no is null order by workspace_no, id`

/** Adds people and merges attributes (R8). Each may be named once. */
export async function importPeople(sql: Sql, people: readonly PersonToImport[]): Promise<void> {
  const changes = people.map(({ attributes }) => attributeChange(attributes))
  const values = [
    listOf(people, (person) => person.workspaceNo),
    textListOf(people, (person) => person.id),
    JSON.stringify(changes.map(({ set }) => set)),
    JSON.stringify(changes.map(({ remove }) => remove)),
    listOf(people, (person) => person.suppressed),
  ]
  await withRepeat(() => sql.query({ name: 'import-people', text: importText, values }))
}

const addText = `
  insert into people (workspace_no, id)
  select n.workspace_no, n.id
  from (select unnest($1::int[]) as workspace_no, unnest($2::text[]) as id) n
  where (select true from people where workspace_no = n.workspace_no and id = n.id limit 1) is null
  order by n.workspace_no, n.id
  on conflict do nothing`

/** Adds those who are not there. */
export async function addPeople(
  sql: Sql,
  people: readonly { workspaceNo: number; id: string }[],
): Promise<void> {
  if (people.length === 0) return
  const values = [
    listOf(people, (person) => person.workspaceNo),
    textListOf(people, (person) => person.id),
  ]
  await withRepeat(() => sql.query({ name: 'add-people', text: addText, values }))
}
