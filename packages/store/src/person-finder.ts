import { type Identifier, personNoOf } from '@pushkeep/domain'
import { coalesce } from './coalesce.ts'
import type { Database, Sql } from './connect.ts'

/** A person by another name than their id, or by an id of which it is not known if it is anybody's. */
export type PersonReference = { workspaceNo: number } & (
  | { by: 'id'; id: string }
  /** Any letter case; throws `SeveralPeopleError` where several have the address. */
  | { by: 'email'; email: string }
  /** `orId`: a text that may be the id of a person who is vouched for; they come first. */
  | { by: 'person-no'; personNo: string; orId?: string | undefined }
  /** Vouched for, and known by nothing but an address; nobody if there already is a person of that id. */
  | { by: 'address-alone'; email: string; unlessId: string }
)

// The column is compared as it is indexed. `+ 0`: to order by the bare number, the planner may walk all
// people until one has the address.
// Of an address, those who have a vouched one come before those from before it was asked, and both before
// a person to whom a public key alone has given it as an id.
const findText = `
  select r.n, coalesce(m.count, 0) > 1 as "isSeveral", coalesce(
    (select id from people where workspace_no = r.workspace_no and id = r.id),
    m.id,
    (select id from people where workspace_no = r.workspace_no and id = r.or_id and is_vouched),
    (select id from people where person_no = r.person_no and workspace_no = r.workspace_no),
    (select id from people
     where workspace_no = r.workspace_no and email = lower(r.address collate "default") collate "C"
       and is_vouched and email_vouched is distinct from false
       and lower(id collate "default") collate "C" = email and not exists (
         select from people where workspace_no = r.workspace_no and id = r.unless_id)
     order by person_no + 0 limit 1)) as id
  from json_to_recordset($1) as r(
    n int, workspace_no int, id text, email text, person_no bigint, or_id text, address text, unless_id text)
  left join lateral (
    select min(id) as id, count(*) as count
    from (
      select id, rank, min(rank) over () as best
      from (
        select id, min(rank) as rank
        from (
          (select id, case when email_vouched then 1 when email_vouched is null then 2 else 4 end
             as rank
           from people
           where workspace_no = r.workspace_no
             and email = lower(r.email collate "default") collate "C"
             and (email_vouched is distinct from false
               or lower(id collate "default") collate "C" = email)
           order by email_vouched desc nulls last limit 100)
          union all
          select id, case when not is_vouched then 3 when email_vouched is null then 2 else 1 end
          from people where workspace_no = r.workspace_no and id = r.email
        ) met group by id) ranked) named
    where rank = best) m on r.email is not null`

/** An address that several people have: nobody can say who of them is meant. */
export class SeveralPeopleError extends Error {
  constructor() {
    super('several people have this address')
  }
}

/** The ids of the people who are meant, in the same order. */
export async function findPersonIds(
  sql: Sql,
  references: readonly PersonReference[],
): Promise<FoundId[]> {
  const rows = references.map((reference, n) => ({ n, ...rowOf(reference) }))
  const found = await sql.query<{ n: number; id: string | null; isSeveral: boolean }>({
    name: 'find-person-ids',
    text: findText,
    values: [JSON.stringify(rows)],
  })
  const ids = new Map(found.rows.map(({ n, id, isSeveral }) => [n, { id, isSeveral }]))
  return references.map((_, n) => ids.get(n) ?? { id: null, isSeveral: false })
}

/** Who is meant; `id` is null where nobody is, and counts for nothing where there are several. */
export interface FoundId {
  id: string | null
  isSeveral: boolean
}

function rowOf(reference: PersonReference) {
  const { workspaceNo: workspace_no } = reference
  switch (reference.by) {
    case 'id':
      return { workspace_no, id: reference.id }
    case 'email':
      return { workspace_no, email: reference.email }
    case 'person-no':
      return { workspace_no, person_no: reference.personNo, or_id: reference.orId }
    case 'address-alone':
      return { workspace_no, address: reference.email, unless_id: reference.unlessId }
  }
}

/** Finds the id of a person. Concurrent calls share statements. */
export function createPersonFinder(
  database: Database,
): (reference: PersonReference) => Promise<string | null> {
  const find = coalesce<PersonReference, FoundId>({
    run: (references) => findPersonIds(database, references),
    sizeMax: 500,
    runsMax: 2,
    waitingMax: 20_000,
  })
  return async (reference) => {
    const { id, isSeveral } = await find(reference)
    if (isSeveral) throw new SeveralPeopleError()
    return id
  }
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
      const orId = person.text
      return personNo === null ? null : find({ workspaceNo, by: 'person-no', personNo, orId })
    }
  }
}
