import type { Attributes } from '@pushkeep/domain'
import { type Database, inTransaction, type Sql, withRepeat } from './connect.ts'
import { type Device, deviceColumns, nowMs, tombstone } from './device-rows.ts'

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

/** Nothing is sent to a suppressed person (R7). Creates one who is not known yet. */
export async function suppressPerson(sql: Sql, { workspaceNo, id }: PersonName): Promise<Person> {
  const { rows } = await sql.query<Person>(
    `insert into people as p (workspace_no, id, suppressed_at) values ($1, $2, now())
     on conflict (workspace_no, id) do update
     set suppressed_at = coalesce(p.suppressed_at, now()), updated_at = now()
     returning ${personColumns}`,
    [workspaceNo, id],
  )
  return theOne(rows)
}

/**
 * Suppresses a person and erases what is known of them. They are blocked: calls about them change
 * nothing until they are unsuppressed.
 */
export function erasePerson(database: Database, person: PersonName): Promise<Person> {
  return withRepeat(() => inTransaction(database, (sql) => erasePersonIn(sql, person)))
}

/** The same, in a transaction of the caller's. */
export async function erasePersonIn(sql: Sql, { workspaceNo, id }: PersonName): Promise<Person> {
  const { rows: found } = await sql.query<{ personNo: string }>(
    `insert into people as p (workspace_no, id, suppressed_at, blocked_at)
     values ($1, $2, now(), now())
     on conflict (workspace_no, id) do update
     set suppressed_at = coalesce(p.suppressed_at, now()), blocked_at = coalesce(p.blocked_at, now())
     returning person_no as "personNo"`,
    [workspaceNo, id],
  )
  const { personNo } = theOne(found)
  // Whoever is adding to them has to come to an end first.
  await sql.query('select from people where person_no = $1 for update', [personNo])
  await eraseBelongings(sql, personNo)
  const { rows } = await sql.query<Person>(
    `update people p set attributes = '{}', updated_at = now() where p.person_no = $1
     returning ${personColumns}`,
    [personNo],
  )
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
): Promise<Person | null> {
  const { rows } = await sql.query<Person>(
    `update people p set suppressed_at = null, blocked_at = null, updated_at = now()
     where p.workspace_no = $1 and p.id = $2
     returning ${personColumns}`,
    [workspaceNo, id],
  )
  return rows[0] ?? null
}

/**
 * Deletes a person with their devices, which stay as tombstones, and their events. Locked first, so
 * that a call that would add to them waits, and finds that the person is gone. False where there is
 * no such person.
 */
export function deletePerson(database: Database, person: PersonName): Promise<boolean> {
  return withRepeat(() => inTransaction(database, (sql) => deletePersonIn(sql, person)))
}

/** The same, in a transaction of the caller's. */
export async function deletePersonIn(sql: Sql, { workspaceNo, id }: PersonName): Promise<boolean> {
  const { rows } = await sql.query<{ personNo: string }>(
    `select person_no as "personNo" from people
     where workspace_no = $1 and id = $2 for update`,
    [workspaceNo, id],
  )
  const [person] = rows
  if (!person) return false
  await eraseBelongings(sql, person.personNo)
  await sql.query('delete from people where person_no = $1', [person.personNo])
  return true
}

/** Erases the devices and events of a person who is locked. */
async function eraseBelongings(sql: Sql, personNo: string): Promise<void> {
  await sql.query(
    `with found as materialized (
       select app_no, device_no from devices where person_no = $1
       order by app_no, device_no for no key update
     ), changed as (
       update devices d set ${tombstone}, ordered_at = greatest(d.ordered_at, ${nowMs})
       from found f where d.app_no = f.app_no and d.device_no = f.device_no
     )
     insert into device_events (device_no, kind, person_no)
     select device_no, 'deleted', $1 from found`,
    [personNo],
  )
  // Anonymous ids first: who writes events under one holds it.
  await sql.query('delete from anonymous_ids where person_no = $1', [personNo])
  await sql.query('delete from person_events where person_no = $1', [personNo])
}
