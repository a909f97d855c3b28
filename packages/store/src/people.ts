import { type Attributes, attributeChange } from '@pushkeep/domain'
import { type CoalescedRun, coalesce } from './coalesce.ts'
import { type Database, inTransaction, type Sql, withRepeat } from './connect.ts'
import { type Device, deviceColumns, nowMs, tombstone } from './device-rows.ts'

export interface Person {
  id: string
  attributes: Attributes
  suppressed: boolean
  createdAt: Date
  updatedAt: Date
}

const personColumns = `
  p.id, p.attributes, p.suppressed_at is not null as suppressed,
  p.created_at as "createdAt", p.updated_at as "updatedAt"`

/** A call that adds a person or merges attributes into what is known of them (R8). */
export interface Identification {
  workspaceNo: number
  id: string
  attributes: Attributes
}

const identifyText = `
  with input as materialized (
    select * from json_to_recordset($1) as i(workspace_no int, id text, set jsonb, removed text[])
  )
  insert into people as p (workspace_no, id, attributes)
  select workspace_no, id, set from input order by workspace_no, id
  on conflict (workspace_no, id) do update
  set attributes = (p.attributes || excluded.attributes) - (
        select removed from input i
        where i.workspace_no = excluded.workspace_no and i.id = excluded.id),
      updated_at = now()
  returning p.workspace_no as "workspaceNo", ${personColumns}`

async function identifyAll(sql: Sql, calls: readonly Identification[]): Promise<Person[]> {
  const inputs = calls.map(({ workspaceNo, id, attributes }) => {
    const { set, remove } = attributeChange(attributes)
    return { workspace_no: workspaceNo, id, set, removed: remove }
  })
  const { rows } = await sql.query<Person & { workspaceNo: number }>({
    name: 'identify-people',
    text: identifyText,
    values: [JSON.stringify(inputs)],
  })
  const people = new Map(
    rows.map(({ workspaceNo, ...person }) => [keyOf(workspaceNo, person.id), person]),
  )
  return calls.map(({ workspaceNo, id }) => {
    const person = people.get(keyOf(workspaceNo, id))
    if (!person) throw new Error('a person was neither added nor changed')
    return person
  })
}

function keyOf(workspaceNo: number, id: string): string {
  return `${workspaceNo} ${id}`
}

/**
 * Adds or changes a person. Concurrent calls share statements, and `onRun` is told how; calls about
 * one keep their order.
 */
export function createIdentifier(
  database: Database,
  onRun: (run: CoalescedRun) => void = () => {},
): (call: Identification) => Promise<Person> {
  return coalesce<Identification, Person>({
    run: (calls) => withRepeat(() => identifyAll(database, calls)),
    sizeMax: 200,
    runsMax: 2,
    waitingMax: 10_000,
    keysOf: ({ workspaceNo, id }) => [keyOf(workspaceNo, id)],
    onRun,
  })
}

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

/** A person's devices, the one used last first. */
export async function devicesOfPerson(
  sql: Sql,
  { workspaceNo, id }: PersonName,
): Promise<OwnedDevice[]> {
  const { rows } = await sql.query<OwnedDevice>({
    name: 'devices-of-person',
    text: `select d.token, a.id as "appId", ${deviceColumns}
           from people p
           join devices d on d.person_no = p.person_no
           join apps a on a.app_no = d.app_no
           where p.workspace_no = $1 and p.id = $2 and d.deleted_at is null
           order by d.last_used desc, d.device_no desc limit ${devicesOfPersonMax}`,
    values: [workspaceNo, id],
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
  const [person] = rows
  if (!person) throw new Error('a person was neither added nor changed')
  return person
}

/** Ends a suppression; null where there is no such person. */
export async function unsuppressPerson(
  sql: Sql,
  { workspaceNo, id }: PersonName,
): Promise<Person | null> {
  const { rows } = await sql.query<Person>(
    `update people p set suppressed_at = null, updated_at = now()
     where p.workspace_no = $1 and p.id = $2
     returning ${personColumns}`,
    [workspaceNo, id],
  )
  return rows[0] ?? null
}

/**
 * Deletes a person with their devices, which stay as tombstones. Locked first, so that a
 * registration that would tie another device waits, and finds that the person is gone. False where
 * there is no such person.
 */
export async function deletePerson(
  database: Database,
  { workspaceNo, id }: PersonName,
): Promise<boolean> {
  return withRepeat(() =>
    inTransaction(database, async (sql) => {
      const { rows } = await sql.query<{ personNo: string }>(
        `select person_no as "personNo" from people
         where workspace_no = $1 and id = $2 for update`,
        [workspaceNo, id],
      )
      const [person] = rows
      if (!person) return false
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
        [person.personNo],
      )
      await sql.query('delete from people where person_no = $1', [person.personNo])
      return true
    }),
  )
}
