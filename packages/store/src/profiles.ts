import type { Attributes } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { type Device, deviceColumns } from './device-rows.ts'

/** A person with all names and all devices that they have, as far as a caller may see them. */
export interface Profile {
  personNo: string
  id: string
  /** In lower case. */
  email: string | null
  attributes: Attributes
  /** When attributes were set, in ms since the epoch, where their client told. */
  attributeTimes: Record<string, number>
  createdAt: Date
  /** The one used last first, at most `devicesOfProfileMax`. */
  devices: (Device & { token: string })[]
}

/** Most devices of a person that are read with them. */
export const devicesOfProfileMax = 100

/**
 * The profiles of the people with these ids, in any order; unknown ids are left out. With an `appNo`,
 * only devices of that app are in them.
 */
export async function readProfiles(
  sql: Sql,
  { workspaceNo, appNo, ids }: { workspaceNo: number; appNo: number | null; ids: string[] },
): Promise<Profile[]> {
  const { rows: people } = await sql.query<Omit<Profile, 'devices'>>({
    name: 'read-profiles',
    text: `
      select p.person_no::text as "personNo", p.id, p.email, p.attributes,
             p.attribute_times as "attributeTimes", p.created_at as "createdAt"
      from unnest($2::text[]) as named(id)
      cross join lateral (
        select * from people where workspace_no = $1 and id = named.id limit 1) p`,
    values: [workspaceNo, [...new Set(ids)]],
  })
  const { rows: devices } = await sql.query<Profile['devices'][number] & { personNo: string }>({
    name: 'devices-of-profiles',
    text: `
      select p.person_no::text as "personNo", d.token, ${deviceColumns}
      from unnest($1::bigint[], $2::text[]) as p(person_no, id)
      cross join lateral (
        select * from devices
        where person_no = p.person_no and deleted_at is null and ($3::int is null or app_no = $3)
        order by last_used desc, device_no desc limit ${devicesOfProfileMax}) d
      order by p.person_no, d.last_used desc, d.device_no desc`,
    values: [people.map((person) => person.personNo), people.map((person) => person.id), appNo],
  })
  const devicesOf = Map.groupBy(devices, (device) => device.personNo)
  return people.map((person) => ({
    ...person,
    devices: (devicesOf.get(person.personNo) ?? []).map(({ personNo: _, ...device }) => device),
  }))
}

/** A person by all their names. */
export interface PersonNames {
  personNo: string
  id: string
  /** In lower case. */
  email: string | null
}

/** Most people that share an address and are read. */
const peopleWithEmailMax = 100

/** Everybody with this e-mail address, in whatever letter case, the oldest first. */
export async function peopleWithEmail(
  sql: Sql,
  { workspaceNo, email }: { workspaceNo: number; email: string },
): Promise<PersonNames[]> {
  const { rows } = await sql.query<PersonNames>({
    name: 'people-with-email',
    text: `
      select person_no::text as "personNo", id, email from people
      where workspace_no = $1 and email = lower($2 collate "default") collate "C"
        and email_vouched is distinct from false
      order by person_no limit ${peopleWithEmailMax}`,
    values: [workspaceNo, email],
  })
  return rows
}

/** The names of a person; null where there is no such person. */
export async function namesOfPerson(
  sql: Sql,
  { workspaceNo, id }: { workspaceNo: number; id: string },
): Promise<PersonNames | null> {
  const { rows } = await sql.query<PersonNames>({
    name: 'names-of-person',
    text: `select person_no::text as "personNo", id, email from people
           where workspace_no = $1 and id = $2`,
    values: [workspaceNo, id],
  })
  return rows[0] ?? null
}
