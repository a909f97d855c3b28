import type { Attributes, EventType } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { parameterOr } from './secure-conditions.ts'

/** Something that a person did, or a phone where nobody is identified. */
export interface NewPersonEvent {
  workspaceNo: number
  /** Whoever was identified when it happened; is created where there is none. null: nobody. */
  personId: string | null
  /** What the client calls its phone while nobody is identified on it. */
  anonymousId: string | null
  type: EventType
  name: string
  /** When it happened, ms since the epoch; null, or later than now, is now. */
  at: number | null
  properties: Attributes
  messageId: string | null
  /** A secret key or an identity token speaks of the person. */
  isVouched?: boolean
  /** Where the owner of the anonymous id has to be proven: the people whom the call proves. */
  provenIds?: readonly string[] | undefined
}

/** An event to write, with the owner of its anonymous id where that has one. */
export interface EventRow {
  event: NewPersonEvent
  ownerNo: number | null
}

// People are locked, so that one who is being deleted takes this event along or is created anew. What
// somebody blocked does is not kept.
const writeText = `
  with named as materialized (
    select * from json_to_recordset($1) as n(workspace_no int, id text, vouched boolean)
  ), known as materialized (
    select p.* from named n cross join lateral (
      select person_no, workspace_no, id, blocked_at from people
      where workspace_no = n.workspace_no and id = n.id limit 1 for key share) p
  ), added as (
    insert into people (workspace_no, id, is_vouched, email_vouched)
    select workspace_no, id, vouched, vouched from named
    where (workspace_no, id) not in (select workspace_no, id from known)
    order by workspace_no, id
    returning person_no, workspace_no, id
  ), person as materialized (
    select * from known union all select *, null from added
  )
  insert into person_events (person_no, at, workspace_no, type, name, anonymous_id, message_id,
                             properties)
  select coalesce(p.person_no, e.owner_no), least(coalesce(to_timestamp(e.at / 1000), now()), now()),
         e.workspace_no, e.type, e.name, e.anonymous_id, e.message_id, e.properties
  from json_to_recordset($2) as e(
    n int, workspace_no int, person_id text, owner_no bigint, anonymous_id text, type text,
    name text, at float8, message_id text, properties jsonb)
  left join person p on p.workspace_no = e.workspace_no and p.id = e.person_id
  where p.blocked_at is null
  order by e.n`

/** Writes events in their order, and the people whom they name. */
export async function writeEvents(sql: Sql, rows: readonly EventRow[]): Promise<void> {
  const people = new Map<string, Named>()
  for (const { event } of rows) {
    const { workspaceNo, personId: id, isVouched = false } = event
    if (id === null) continue
    const key = `${workspaceNo} ${id}`
    const vouched = isVouched || (people.get(key)?.vouched ?? false)
    people.set(key, { workspace_no: workspaceNo, id, vouched })
  }
  const named = [...people.values()].sort(byName)
  const values = rows.map(({ event, ownerNo }, n) => ({
    n,
    workspace_no: event.workspaceNo,
    person_id: event.personId ?? undefined,
    owner_no: ownerNo ?? undefined,
    anonymous_id: event.anonymousId ?? undefined,
    type: event.type,
    name: event.name,
    at: event.at ?? undefined,
    message_id: event.messageId ?? undefined,
    properties: event.properties,
  }))
  await sql.query({
    name: 'write-events',
    text: writeText,
    values: [JSON.stringify(named), JSON.stringify(values)],
  })
}

type Named = { workspace_no: number; id: string; vouched: boolean }

function byName(one: Named, other: Named): number {
  return one.workspace_no - other.workspace_no || (one.id < other.id ? -1 : 1)
}

/** An event as it is read. */
export interface PersonEvent {
  type: EventType
  name: string
  at: Date
  receivedAt: Date
  anonymousId: string | null
  messageId: string | null
  properties: Attributes
}

/** Where a page ended. */
export interface EventCursor {
  /** ISO 8601 in microseconds, which a JavaScript date does not hold. */
  at: string
  eventNo: string
}

export interface EventPage {
  events: PersonEvent[]
  next: EventCursor | null
}

interface PageRow extends PersonEvent {
  eventNo: string | null
  exactAt: string
}

/** A page of a person's events, the latest first; null where there is no such person. */
export async function readEvents(
  sql: Sql,
  page: { workspaceNo: number; id: string; limit: number; after: EventCursor | null },
): Promise<EventPage | null> {
  const { rows } = await sql.query<PageRow>({
    name: 'read-events',
    text: `
      select e.event_no::text as "eventNo", to_json(e.at) #>> '{}' as "exactAt", e.type, e.name,
             e.at, e.received_at as "receivedAt", e.anonymous_id as "anonymousId",
             e.message_id as "messageId", e.properties
      from people p
      left join lateral (
        select * from person_events
        where person_no = p.person_no
          and (at, event_no)
            < (${parameterOr('$3::timestamptz', "'infinity'")}, ${parameterOr('$4::bigint', '0')})
        order by at desc, event_no desc limit $5) e on true
      where p.workspace_no = $1 and p.id = $2
      order by e.at desc, e.event_no desc`,
    values: [
      page.workspaceNo,
      page.id,
      page.after?.at ?? null,
      page.after?.eventNo ?? null,
      page.limit + 1,
    ],
  })
  if (rows.length === 0) return null
  const found = rows.filter((row) => row.eventNo !== null)
  const shown = found.slice(0, page.limit)
  const last = found.length > page.limit ? shown.at(-1) : undefined
  return {
    events: shown.map(({ eventNo: _, exactAt: __, ...event }) => event),
    next: last?.eventNo ? { at: last.exactAt, eventNo: last.eventNo } : null,
  }
}
