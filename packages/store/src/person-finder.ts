import { type Identifier, personNoOf } from '@pushkeep/domain'
import { coalesce } from './coalesce.ts'
import type { Database, Sql } from './connect.ts'
import { parameterOr } from './secure-conditions.ts'

/** A person by another name than their id, or by an id of which it is not known if it is anybody's. */
export type PersonReference = { workspaceNo: number } & (
  | { by: 'id'; id: string }
  /** Any letter case. Of several with one address, whoever has it as their id, else the oldest. */
  | { by: 'email'; email: string }
  | { by: 'person-no'; personNo: string }
  /** Known by nothing but an address; nobody if there already is a person of that id. */
  | { by: 'address-alone'; email: string; unlessId: string }
)

// The column is compared as it is indexed. `+ 0`: to order by the bare number, the planner may walk all
// people until one has the address.
const findText = `
  select r.n, coalesce(
    (select id from people where workspace_no = r.workspace_no and id = ${parameterOr('r.id', 'r.email')}),
    (select id from people
     where workspace_no = r.workspace_no and email = lower(r.email collate "default") collate "C"
     order by person_no + 0 limit 1),
    (select id from people where person_no = r.person_no and workspace_no = r.workspace_no),
    (select id from people
     where workspace_no = r.workspace_no and email = lower(r.address collate "default") collate "C"
       and lower(id collate "default") collate "C" = email and not exists (
         select from people where workspace_no = r.workspace_no and id = r.unless_id)
     order by person_no + 0 limit 1)) as id
  from json_to_recordset($1) as r(
    n int, workspace_no int, id text, email text, person_no bigint, address text, unless_id text)`

/** The ids of the people who are meant, in the same order; null where there is nobody. */
export async function findPersonIds(
  sql: Sql,
  references: readonly PersonReference[],
): Promise<(string | null)[]> {
  const rows = references.map((reference, n) => ({ n, ...rowOf(reference) }))
  const found = await sql.query<{ n: number; id: string | null }>({
    name: 'find-person-ids',
    text: findText,
    values: [JSON.stringify(rows)],
  })
  const ids = new Map(found.rows.map(({ n, id }) => [n, id]))
  return references.map((_, n) => ids.get(n) ?? null)
}

function rowOf(reference: PersonReference) {
  const { workspaceNo: workspace_no } = reference
  switch (reference.by) {
    case 'id':
      return { workspace_no, id: reference.id }
    case 'email':
      return { workspace_no, email: reference.email }
    case 'person-no':
      return { workspace_no, person_no: reference.personNo }
    case 'address-alone':
      return { workspace_no, address: reference.email, unless_id: reference.unlessId }
  }
}

/** Finds the id of a person. Concurrent calls share statements. */
export function createPersonFinder(
  database: Database,
): (reference: PersonReference) => Promise<string | null> {
  const find = coalesce<PersonReference, { id: string | null }>({
    run: async (references) => {
      const ids = await findPersonIds(database, references)
      return ids.map((id) => ({ id }))
    },
    sizeMax: 500,
    runsMax: 2,
    waitingMax: 20_000,
  })
  return async (reference) => (await find(reference)).id
}

/**
 * The id of whoever a client of Customer.io names, which may be of nobody yet: an id as it is, an
 * address of nobody as itself. null: nobody, and nobody can be made of it. docs/decisions/0041.
 */
export async function personIdNamed(
  find: (reference: PersonReference) => Promise<string | null>,
  workspaceNo: number,
  person: Identifier,
): Promise<string | null> {
  switch (person.by) {
    case 'id':
      return person.id
    case 'email':
      return (await find({ workspaceNo, by: 'email', email: person.email })) ?? person.email
    case 'cio-id': {
      const personNo = personNoOf(person.cioId)
      return personNo === null ? null : find({ workspaceNo, by: 'person-no', personNo })
    }
  }
}
