import { type Attributes, attributeChange, type FoldedChange } from '@pushkeep/domain'
import { type CoalescedRun, coalesce } from './coalesce.ts'
import { type Database, type Sql, withRepeat } from './connect.ts'
import { type Person, type PersonName, personColumns } from './people.ts'

/** A call that adds a person or merges attributes into what is known of them (R8). */
export interface Identification extends PersonName {
  attributes: Attributes
  /** A secret key or an identity token speaks of the person. */
  isVouched?: boolean
  /** What the call says of `email` is the person's address: by a secret key or a signed claim. */
  vouchesEmail?: boolean
}

/** What some calls change of one person. */
export interface PersonChange extends PersonName {
  change: FoldedChange
  /** Leaves it where there is no such person. */
  isUpdateOnly: boolean
  isVouched: boolean
  vouchesEmail: boolean
}

// What a key's own time says is late. Keys that are set without one lose theirs.
const isLate = (key: string) =>
  `coalesce((p.attribute_times ->> ${key})::float8 > (i.times ->> ${key})::float8, false)`

// An address that a public key repeats stays vouched; another one is none. Without an attribute, an id that is
// an address counts, as far as the person does.
const emailVouched = `
  case
    when a.set ? 'email' then i.vouches_email
      or (p.email = lower((a.set ->> 'email') collate "default") collate "C"
          and p.email_vouched is distinct from false)
    when 'email' = any(a.removed) or not p.attributes ? 'email' then
      case when p.email_vouched is null and not i.vouched and not 'email' = any(a.removed) then null
        else p.is_vouched or i.vouched end
    else p.email_vouched end`

// Of somebody blocked nothing changes. Where no times are told and none are kept, which is the usual
// case, nothing is compared.
const mergeText = (columns: string) => `
  with input as materialized (
    select * from json_to_recordset($1) as i(
      workspace_no int, id text, set jsonb, removed text[], times jsonb, update_only boolean,
      vouched boolean, vouches_email boolean)
  )
  insert into people as p (workspace_no, id, attributes, attribute_times, is_vouched, email_vouched)
  select i.workspace_no, i.id, i.set, i.times - i.removed, i.vouched,
         case when i.set ? 'email' then i.vouches_email else i.vouched end
  from input i left join lateral (
    select true as is_there from people
    where workspace_no = i.workspace_no and id = i.id limit 1) k on i.update_only
  where not i.update_only or k.is_there
  order by i.workspace_no, i.id
  on conflict (workspace_no, id) do update
  set (attributes, attribute_times, updated_at, is_vouched, email_vouched) = (
    select (p.attributes || a.set) - a.removed,
           case when p.attribute_times = '{}' and i.times = '{}' then p.attribute_times
             else (p.attribute_times - a.removed - a.keys) || (
               select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(i.times)
               where key = any(a.keys)) end,
           now(), p.is_vouched or i.vouched, ${emailVouched}
    from input i
    cross join lateral (
      select case when p.attribute_times = '{}' then i.set else (
               select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(i.set)
               where not ${isLate('key')}) end as set,
             case when p.attribute_times = '{}' then i.removed else array(
               select r from unnest(i.removed) r where not ${isLate('r')}) end as removed
    ) t
    cross join lateral (
      select t.set, t.removed,
             case when p.attribute_times = '{}' and i.times = '{}' then '{}'
               else array(select jsonb_object_keys(t.set)) end as keys
    ) a
    where i.workspace_no = excluded.workspace_no and i.id = excluded.id and p.blocked_at is null
    union all
    select p.attributes, p.attribute_times, p.updated_at, p.is_vouched, p.email_vouched
    where p.blocked_at is not null)
  returning p.workspace_no as "workspaceNo", ${columns}`

const identifyText = mergeText(personColumns)
const changeText = mergeText(
  'p.id, p.person_no::float8 as "personNo", p.blocked_at is not null as blocked',
)

/** A person whom a change met. */
export interface ChangedPerson extends PersonName {
  personNo: number
  blocked: boolean
}

/** Applies changes, one a person; leaves out whom an update alone did not find. */
export async function changePeople(
  sql: Sql,
  changes: readonly PersonChange[],
): Promise<ChangedPerson[]> {
  return merge<ChangedPerson>(sql, 'change-people', changeText, changes)
}

async function merge<Row extends PersonName>(
  sql: Sql,
  name: string,
  text: string,
  changes: readonly PersonChange[],
): Promise<Row[]> {
  const inputs = changes.map(({ workspaceNo, id, change, ...rest }) => ({
    workspace_no: workspaceNo,
    id,
    set: change.set,
    removed: change.remove,
    times: change.times,
    update_only: rest.isUpdateOnly,
    vouched: rest.isVouched,
    vouches_email: rest.vouchesEmail,
  }))
  const { rows } = await sql.query<Row>({ name, text, values: [JSON.stringify(inputs)] })
  return rows
}

async function identifyAll(sql: Sql, calls: readonly Identification[]): Promise<Person[]> {
  const changes = calls.map(({ workspaceNo, id, attributes, ...vouched }) => {
    const change = { ...attributeChange(attributes), times: {} }
    const { isVouched = false, vouchesEmail = false } = vouched
    return { workspaceNo, id, change, isUpdateOnly: false, isVouched, vouchesEmail }
  })
  const rows = await merge<Person & PersonName>(sql, 'identify-people', identifyText, changes)
  const people = new Map(
    rows.map(({ workspaceNo, ...person }) => [`${workspaceNo} ${person.id}`, person]),
  )
  return calls.map(({ workspaceNo, id }) => {
    const person = people.get(`${workspaceNo} ${id}`)
    if (!person) throw new Error('a person was neither added nor changed')
    return person
  })
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
    keysOf: ({ workspaceNo, id }) => [`${workspaceNo} ${id}`],
    onRun,
  })
}
