import type { Sql } from './connect.ts'
import { type Person, type PersonName, personColumns } from './people.ts'
import { tokenHash } from './token-hash.ts'

/** A person as found by a search. */
export interface FoundPerson {
  id: string
  suppressed: boolean
  /** Devices that are registered, 100 at most. */
  devices: number
  updatedAt: Date
}

const columns = `
  p.id, p.suppressed_at is not null as suppressed, p.updated_at as "updatedAt",
  (select count(*)::int from (
     select from devices d where d.person_no = p.person_no and d.deleted_at is null limit 100) d)
    as devices`

/** The last character there is: where the ids that begin alike end. */
const lastCharacter = '\u{10ffff}'

/** People whose id begins with a text, in order of their ids. */
export async function findPeopleByPrefix(
  sql: Sql,
  { workspaceNo, prefix, limit }: { workspaceNo: number; prefix: string; limit: number },
): Promise<FoundPerson[]> {
  const { rows } = await sql.query<FoundPerson>({
    name: 'people-by-prefix',
    text: `
      select ${columns} from people p
      where p.workspace_no = $1 and p.id >= $2 and p.id < $3
      order by p.id limit $4`,
    values: [workspaceNo, prefix, prefix + lastCharacter, limit],
  })
  return rows
}

/** People whose e-mail address begins with a text, in any letter case. */
export async function findPeopleByEmail(
  sql: Sql,
  { workspaceNo, prefix, limit }: { workspaceNo: number; prefix: string; limit: number },
): Promise<FoundPerson[]> {
  const address = prefix.toLowerCase()
  const { rows } = await sql.query<FoundPerson>({
    name: 'people-by-email',
    text: `
      select ${columns} from people p
      where p.workspace_no = $1 and p.email >= $2 and p.email < $3
      order by p.email, p.id limit $4`,
    values: [workspaceNo, address, address + lastCharacter, limit],
  })
  return rows
}

/** Whose device a token is now, in one of these apps; none where it is nobody's or not known. */
export async function findPeopleByToken(
  sql: Sql,
  { appNos, token }: { appNos: readonly number[]; token: string },
): Promise<FoundPerson[]> {
  const { rows } = await sql.query<FoundPerson>({
    name: 'people-by-token',
    text: `
      select ${columns} from devices t join people p on p.person_no = t.person_no
      where t.app_no = any($1) and t.token_hash = $2 and t.deleted_at is null
      order by p.id limit 20`,
    values: [appNos, tokenHash(token)],
  })
  return rows
}

/** The person with the number that deliveries and devices know them by, or null. */
export async function findNumberedPerson(
  sql: Sql,
  { workspaceNo, id }: PersonName,
): Promise<(Person & { personNo: string }) | null> {
  const { rows } = await sql.query<Person & { personNo: string }>({
    name: 'find-numbered-person',
    text: `select p.person_no::text as "personNo", ${personColumns}
           from people p where p.workspace_no = $1 and p.id = $2`,
    values: [workspaceNo, id],
  })
  return rows[0] ?? null
}
