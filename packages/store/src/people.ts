import type { Attributes } from '@pushkeep/domain'
import { auditPerson } from './audit-deeds.ts'
import type { Actor } from './audit-log.ts'
import { type Database, inTransaction, type Sql, withRepeat } from './connect.ts'
import { type Device, deviceColumns } from './device-rows.ts'
import { eraseBelongings } from './erasure/belongings.ts'

export interface Person {
  id: string
  attributes: Attributes
  suppressed: boolean
  /** Erased by its suppression: calls about them are ignored. */
  blocked: boolean
  createdAt: Date
  updatedAt: Date
}

/** The select list of `Person`, from a person `p`. */
export const personColumns = `
  p.id, p.attributes, p.suppressed_at is not null as suppressed,
  p.blocked_at is not null as blocked, p.created_at as "createdAt", p.updated_at as "updatedAt"`

/** A person by the workspace and the id of the caller's choosing. */
export interface PersonName {
  workspaceNo: number
  id: string
}

/** The person, or null. */
export async function findPerson(
  sql: Sql,
  { workspaceNo, id }: PersonName,
): Promise<Person | null> {
  const { rows } = await sql.query<Person>({
    name: 'find-person',
    text: `select ${personColumns} from people p where p.workspace_no = $1 and p.id = $2`,
    values: [workspaceNo, id],
  })
  return rows[0] ?? null
}

/** A device together with its token and its app. */
export interface OwnedDevice extends Device {
  token: string
  appId: string
}

/** Most devices of a person that are read at once. */
const devicesOfPersonMax = 100

/** A person's devices, the one used last first; with an `appNo`, those of that app alone. */
export async function devicesOfPerson(
  sql: Sql,
  { workspaceNo, id, appNo }: PersonName & { appNo: number | null },
): Promise<OwnedDevice[]> {
  const { rows } = await sql.query<OwnedDevice>({
    name: 'devices-of-person',
    text: `select d.token, a.id as "appId", ${deviceColumns}
           from people p
           join devices d on d.person_no = p.person_no
           join apps a on a.app_no = d.app_no
           where p.workspace_no = $1 and p.id = $2 and d.deleted_at is null
             and ($3::int is null or d.app_no = $3)
           order by d.last_used desc, d.device_no desc limit ${devicesOfPersonMax}`,
    values: [workspaceNo, id, appNo],
  })
  return rows
}

/** A person with the number that the audit log knows them by. */
export type NumberedPerson = Person & { personNo: string }

/** Nothing is sent to a suppressed person (R7). Creates one who is not known yet. */
export async function suppressPerson(
  sql: Sql,
  { workspaceNo, id }: PersonName,
): Promise<NumberedPerson> {
  const { rows } = await sql.query<NumberedPerson>(
    `insert into people as p (workspace_no, id, suppressed_at) values ($1, $2, now())
     on conflict (workspace_no, id) do update
     set suppressed_at = coalesce(p.suppressed_at, now()), updated_at = now()
     returning p.person_no as "personNo", ${personColumns}`,
    [workspaceNo, id],
  )
  return theOne(rows)
}

/**
 * Suppresses a person and erases what is known of them. They are blocked: calls about them change
 * nothing until they are unsuppressed.
 */
export function erasePerson(
  database: Database,
  person: PersonName,
  actor: Actor | null = null,
): Promise<Person> {
  return withRepeat(() =>
    inTransaction(database, async (sql) => {
      const { personNo, ...erased } = await erasePersonIn(sql, person)
      await auditPerson(sql, actor, 'person.erase', personNo)
      return erased
    }),
  )
}

/**
 * The same, in a transaction of the caller's. The blocked id gets a row and a number of its own: what goes on
 * naming the former number (deliveries, chunks, the audit log) names no one.
 */
export async function erasePersonIn(
  sql: Sql,
  { workspaceNo, id }: PersonName,
): Promise<NumberedPerson> {
  // A call that is adding to them has to come to an end first.
  const { rows: found } = await sql.query<{ personNo: string; suppressedAt: Date | null }>(
    `select person_no as "personNo", suppressed_at as "suppressedAt" from people
     where workspace_no = $1 and id = $2 for update`,
    [workspaceNo, id],
  )
  const personNo = found[0]?.personNo ?? null
  if (personNo !== null) {
    await sql.query('delete from people where person_no = $1', [personNo])
  }
  const { rows } = await sql.query<NumberedPerson>(
    `insert into people as p (workspace_no, id, suppressed_at, blocked_at)
     values ($1, $2, coalesce($3::timestamptz, now()), now())
     on conflict (workspace_no, id) do nothing
     returning p.person_no as "personNo", ${personColumns}`,
    [workspaceNo, id, found[0]?.suppressedAt ?? null],
  )
  // Added by another call since they were looked for: that one is to be erased.
  if (rows.length === 0) return erasePersonIn(sql, { workspaceNo, id })
  await eraseBelongings(sql, { workspaceNo, id, personNo })
  return theOne(rows)
}

function theOne<Row>([row]: Row[]): Row {
  if (row === undefined) throw new Error('a person was neither added nor changed')
  return row
}

/** Ends a suppression; null where there is no such person. */
export async function unsuppressPerson(
  sql: Sql,
  { workspaceNo, id }: PersonName,
): Promise<NumberedPerson | null> {
  const { rows } = await sql.query<NumberedPerson>(
    `update people p set suppressed_at = null, blocked_at = null, updated_at = now()
     where p.workspace_no = $1 and p.id = $2
     returning p.person_no as "personNo", ${personColumns}`,
    [workspaceNo, id],
  )
  return rows[0] ?? null
}

/**
 * Deletes a person with their devices, which stay as tombstones, and their events. Locked first, so
 * that a call that would add to them waits, and finds that the person is gone. False where there is
 * no such person.
 */
export function deletePerson(
  database: Database,
  person: PersonName,
  actor: Actor | null = null,
): Promise<boolean> {
  return withRepeat(() =>
    inTransaction(database, async (sql) => {
      const personNo = await deletePersonIn(sql, person)
      if (personNo !== null) await auditPerson(sql, actor, 'person.delete', personNo)
      return personNo !== null
    }),
  )
}

/** The same, in a transaction of the caller's: the number that they had, or null. */
export async function deletePersonIn(
  sql: Sql,
  { workspaceNo, id }: PersonName,
): Promise<string | null> {
  const { rows } = await sql.query<{ personNo: string }>(
    `select person_no as "personNo" from people
     where workspace_no = $1 and id = $2 for update`,
    [workspaceNo, id],
  )
  const [person] = rows
  if (!person) return null
  await eraseBelongings(sql, { workspaceNo, id, personNo: person.personNo })
  await sql.query('delete from people where person_no = $1', [person.personNo])
  return person.personNo
}
