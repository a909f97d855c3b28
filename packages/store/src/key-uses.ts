import type { Sql } from './connect.ts'

/** What is known of the use of a key since it was last written down. */
export interface KeyUse {
  keyId: string
  /** A secret key came from a browser or a mobile app. */
  isExposed: boolean
}

/** Notes of a minute are one: several processes write a key down once. */
const quietSeconds = 50

/**
 * Writes down that keys are used now. One that was written down within the last minute is left as it is; keys that
 * are gone are left out.
 */
export async function noteKeyUses(sql: Sql, uses: readonly KeyUse[]): Promise<void> {
  const sorted = uses.toSorted((one, other) => (one.keyId < other.keyId ? -1 : 1))
  await sql.query({
    name: 'note-key-uses',
    text: `
      insert into key_uses as u (key_id, used_at, exposed_at)
      select g.id, now(), case when g.is_exposed then now() end
      from unnest($1::uuid[], $2::bool[]) as g(id, is_exposed)
      where exists (select from api_keys k where k.id = g.id)
      on conflict (key_id) do update
      set used_at = now(), exposed_at = coalesce(excluded.exposed_at, u.exposed_at)
      where u.used_at < now() - interval '${quietSeconds} seconds'
         or (excluded.exposed_at is not null and u.exposed_at is null)`,
    values: [sorted.map((use) => use.keyId), sorted.map((use) => use.isExposed)],
  })
}
