import type { Sql } from './connect.ts'
import { tokenHash } from './token-hash.ts'

/** One transition of a device. */
export interface TimelineEvent {
  at: Date
  kind: string
  personId: string | null
  /** Of a move: whom the token left. */
  fromPersonId: string | null
  reason: string | null
}

/** Where a page ended. */
export interface TimelineCursor {
  /** ISO 8601 in microseconds, which a JavaScript date does not hold. */
  at: string
  kind: string
}

export interface TimelinePage {
  events: TimelineEvent[]
  next: TimelineCursor | null
}

interface EventRow extends TimelineEvent {
  exactAt: string
}

/** A page of a token's timeline, newest first; a deleted token's too. */
export async function readTimeline(
  sql: Sql,
  page: { appNo: number; token: string; limit: number; after: TimelineCursor | null },
): Promise<TimelinePage> {
  const { rows } = await sql.query<EventRow>({
    name: 'read-timeline',
    text: `
      select e.at, to_json(e.at) #>> '{}' as "exactAt", e.kind, p.id as "personId",
             f.id as "fromPersonId", e.detail ->> 'reason' as reason
      from devices d
      join device_events e on e.device_no = d.device_no
      left join people p on p.person_no = e.person_no
      left join lateral (select (e.detail ->> 'from')::bigint as no offset 0) t on true
      left join people f on f.person_no = t.no
      where d.app_no = $1 and d.token_hash = $2
        and ($3::timestamptz is null or (e.at, e.kind) < ($3, $4::text))
      order by e.at desc, e.kind desc
      limit $5`,
    values: [
      page.appNo,
      tokenHash(page.token),
      page.after?.at ?? null,
      page.after?.kind ?? null,
      page.limit + 1,
    ],
  })
  const events = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? events.at(-1) : undefined
  return {
    events: events.map(({ exactAt: _, ...event }) => event),
    next: last ? { at: last.exactAt, kind: last.kind } : null,
  }
}
