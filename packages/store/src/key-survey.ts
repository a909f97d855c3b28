import type { Sql } from './connect.ts'
import type { KeyKind } from './key-text.ts'

/** A key that an operator should look at. */
export interface NotableKey {
  id: string
  name: string
  kind: KeyKind
  workspaceId: string
  at: Date
}

/** What there is to say of the keys of an installation. */
export interface KeySurvey {
  workspaces: number
  /** Keys of operators of the installation that work. */
  installationKeys: number
  /** Keys that end within so many days, or ended within as many; `at` is when. */
  ending: NotableKey[]
  /** Secret keys that came from a browser or an app within the last month; `at` is when. */
  exposed: NotableKey[]
}

/** Most keys of a kind that are named. */
const namedMax = 20

/** Looks through the keys that are not revoked. */
export async function surveyKeys(sql: Sql, { soonDays }: { soonDays: number }): Promise<KeySurvey> {
  const { rows } = await sql.query<{ workspaces: number; installationKeys: number }>(
    `select (select count(*)::int from workspaces) as workspaces,
            (select count(*)::int from api_keys
             where is_installation and revoked_at is null
               and (expires_at is null or expires_at > now())) as "installationKeys"`,
  )
  const { rows: ending } = await sql.query<NotableKey>(
    `select k.id, k.name, k.kind, w.id as "workspaceId", k.expires_at as at
     from api_keys k join workspaces w using (workspace_no)
     where k.revoked_at is null
       and k.expires_at between now() - make_interval(days => $1) and now() + make_interval(days => $1)
     order by k.expires_at limit ${namedMax}`,
    [soonDays],
  )
  const { rows: exposed } = await sql.query<NotableKey>(
    `select k.id, k.name, k.kind, w.id as "workspaceId", u.exposed_at as at
     from key_uses u join api_keys k on k.id = u.key_id join workspaces w using (workspace_no)
     where k.revoked_at is null and u.exposed_at > now() - interval '30 days'
     order by u.exposed_at desc limit ${namedMax}`,
  )
  return { workspaces: 0, installationKeys: 0, ...rows[0], ending, exposed }
}
