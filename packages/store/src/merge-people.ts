import { type Database, inTransaction, type Sql, withRepeat } from './connect.ts'
import { replaceId } from './erasure/requests.ts'

/** Two people who are one: the primary stays. */
export interface PeopleMerge {
  workspaceNo: number
  primary: string
  secondary: string
}

interface MergedRow {
  id: string
  personNo: string
  isBlocked: boolean
}

/**
 * Makes one person of two. The primary takes over devices, events, anonymous ids, deliveries and
 * those attributes that they have not; the secondary is deleted. Nothing happens where either is
 * unknown or blocked: then it answers null, else the primary's number. A push that is on its way to a device of the secondary
 * is withheld, since the device changes hands (R6).
 */
export async function mergePeopleIn(
  sql: Sql,
  { workspaceNo, primary, secondary }: PeopleMerge,
): Promise<string | null> {
  const { rows } = await sql.query<MergedRow>(
    `select id, person_no as "personNo", blocked_at is not null as "isBlocked" from people
     where workspace_no = $1 and id in ($2, $3) order by person_no for update`,
    [workspaceNo, primary, secondary],
  )
  const kept = rows.find((row) => row.id === primary)
  const gone = rows.find((row) => row.id === secondary)
  if (!kept || !gone || kept === gone || kept.isBlocked || gone.isBlocked) return null
  const numbers = [kept.personNo, gone.personNo]
  await sql.query(
    `update people p set updated_at = now(),
       is_vouched = p.is_vouched or g.is_vouched,
       email_vouched = case when p.attributes ? 'email' then p.email_vouched
         else g.email_vouched end,
       attributes = case when attributes_fit(g.attributes || p.attributes)
         then g.attributes || p.attributes else p.attributes end
     from people g where p.person_no = $1 and g.person_no = $2`,
    numbers,
  )
  await sql.query(
    `with found as materialized (
       select app_no, device_no from devices where person_no = $2
       order by app_no, device_no for no key update
     ), moved as (
       update devices d set person_no = $1 from found f
       where d.app_no = f.app_no and d.device_no = f.device_no
     )
     insert into device_events (device_no, kind, person_no, detail)
     select device_no, 'moved', $1, jsonb_build_object('from', $2::bigint, 'to', $1::bigint)
     from found`,
    numbers,
  )
  for (const table of ['anonymous_ids', 'person_events', 'deliveries']) {
    await sql.query(`update ${table} set person_no = $1 where person_no = $2`, numbers)
  }
  await sql.query(
    `with left_behind as (
       delete from former_devices where person_no = $2 returning app_no, device_no, at
     )
     insert into former_devices as f (person_no, app_no, device_no, at)
     select $1, app_no, device_no, at from left_behind
     on conflict (person_no, device_no) do update set at = greatest(f.at, excluded.at)`,
    numbers,
  )
  await sql.query('delete from people where person_no = $1', [gone.personNo])
  await replaceId(sql, { workspaceNo, from: secondary, to: primary })
  return kept.personNo
}

/** Gives a person another id; false where there is no such person, or the id is somebody's. */
export function renamePerson(
  database: Database,
  { workspaceNo, from, to }: { workspaceNo: number; from: string; to: string },
): Promise<boolean> {
  return withRepeat(() =>
    inTransaction(database, async (sql) => {
      const { rowCount } = await sql.query(
        `update people set id = $3, updated_at = now()
         where workspace_no = $1 and id = $2 and blocked_at is null
           and not exists (select from people where workspace_no = $1 and id = $3)`,
        [workspaceNo, from, to],
      )
      if (rowCount !== 1) return false
      await replaceId(sql, { workspaceNo, from, to })
      return true
    }),
  )
}
