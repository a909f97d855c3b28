import type { Sql } from './connect.ts'
import { statusCode } from './delivery-codes.ts'
import { isScheduled } from './messages.ts'

/** Whose data is exported, and how much of it the caller may see. */
export interface ExportedSubject {
  workspaceNo: number
  personNo: string
  personId: string
  /** The app whose messages alone the caller may read; null: all. */
  appNo: number | null
  /** The apps whose devices and deliveries are in it. */
  appNos: readonly number[]
}

/** A page of one part: rows as JSON texts, and where the next begins; null at the end. */
export interface ExportedRows {
  lines: string[]
  next: string | null
}

/** One part of what is known of a person, read a page at a time. */
export interface ExportPart {
  name: string
  read: (sql: Sql, subject: ExportedSubject, after: string | null) => Promise<ExportedRows>
}

/** Most rows of a page: each may be as large as attributes may be. */
const pageRows = 100

interface Line {
  line: string
  place: string
}

/**
 * A part from a statement that is given the person's number ($1), the place behind which the page begins ($2,
 * null: the first) and, where it asks for them, more. Its rows are `line`, `place`, in order of places.
 */
function part(
  name: string,
  text: string,
  more: (subject: ExportedSubject) => unknown[] = () => [],
): ExportPart {
  return {
    name,
    async read(sql, subject, after) {
      const { rows } = await sql.query<Line>({
        name: `export-person-${name}`,
        text: `${text} limit ${pageRows}`,
        values: [subject.personNo, after, ...more(subject)],
      })
      const next = rows.length < pageRows ? null : (rows.at(-1)?.place ?? null)
      return { lines: rows.map(({ line }) => line), next }
    },
  }
}

const devices = part(
  'devices',
  `select json_build_object(
     'token', d.token, 'app_id', a.id, 'platform', d.platform, 'provider', d.provider,
     'environment', d.environment, 'installation_id', d.installation_id,
     'attributes', d.attributes, 'push_permission', d.push_permission, 'last_used', d.last_used,
     'created_at', d.created_at, 'registered_at', d.registered_at, 'last_status', d.last_status,
     'status_at', d.status_at, 'dead_at', d.dead_at, 'dead_reason', d.dead_reason)::text as line,
     d.device_no::text as place
   from devices d join apps a on a.app_no = d.app_no
   where d.person_no = $1 and d.device_no > case when $2::text is null then 0 else $2::bigint end
     and d.app_no = any($3::int[]) and d.deleted_at is null
   order by d.device_no`,
  ({ appNos }) => [appNos],
)

const anonymousIds = part(
  'anonymous_ids',
  `select json_build_object('anonymous_id', anonymous_id, 'seen_on', seen_on,
                            'attributes', attributes)::text as line,
          anonymous_id as place
   from anonymous_ids
   where person_no = $1 and ($2::text is null or anonymous_id > $2)
   order by anonymous_id`,
)

const events = part(
  'events',
  `select json_build_object('type', type, 'name', name, 'at', at, 'received_at', received_at,
                            'anonymous_id', anonymous_id, 'id', message_id,
                            'properties', properties)::text as line,
          json_build_array(at, event_no)::text as place
   from person_events
   where person_no = $1 and (at, event_no)
     > (case when $2::json is null then '-infinity' else ($2::json ->> 0)::timestamptz end,
        case when $2::json is null then 0 else ($2::json ->> 1)::bigint end)
   order by at, event_no`,
)

// What happened to a device while it was theirs, and what says no person of one that is theirs now.
const timeline = part(
  'timeline',
  `select json_build_object('at', e.at, 'kind', e.kind, 'device', d.token, 'app_id', a.id,
                            'reason', e.detail ->> 'reason')::text as line,
          json_build_array(e.at, e.device_no, e.kind)::text as place
   from (
     select app_no, device_no from devices where person_no = $1
     union select app_no, device_no from former_devices where person_no = $1
   ) own
   join devices d on d.app_no = own.app_no and d.device_no = own.device_no
   join apps a on a.app_no = own.app_no
   join device_events e on e.device_no = own.device_no
   where own.app_no = any($3::int[]) and (e.person_no = $1 or e.person_no is null and d.person_no = $1)
     and ($2::json is null or (e.at, e.device_no, e.kind)
          > (($2::json ->> 0)::timestamptz, ($2::json ->> 1)::bigint, $2::json ->> 2))
   order by e.at, e.device_no, e.kind`,
  ({ appNos }) => [appNos],
)

const statusNames = Object.entries(statusCode)
  .map(([name, code]) => `when ${code} then '${name}'`)
  .join(' ')

// To whom else a message went is not theirs to know: its audience is left out. A message to every app is not
// for a key of one app to read: the delivery is in it, the content is not.
const messages = part(
  'messages',
  `select json_build_object(
     'id', m.id, 'app_id', a.id, 'created_at', m.created_at, 'send_at', m.send_at,
     'content', m.content -> 'content', 'apns', m.content -> 'apns', 'fcm', m.content -> 'fcm',
     'trigger', m.content -> 'trigger', 'deliveries', t.deliveries)::text as line,
     t.message_no::text as place
   from (
     select dl.message_no, json_agg(json_build_object(
       'device', d.token, 'status', case dl.status ${statusNames} end, 'reason', dl.reason,
       'attempts', dl.attempts, 'at', dl.at, 'delivered', r.delivered_at, 'opened', r.opened_at,
       'clicked', r.clicked_at, 'converted', r.converted_at) order by dl.device_no) as deliveries
     from deliveries dl
     join devices d on d.device_no = dl.device_no and d.app_no = any($3::int[])
     left join receipts r on r.message_no = dl.message_no and r.device_no = dl.device_no
     where dl.person_no = $1
       and dl.message_no > case when $2::text is null then 0 else $2::bigint end
     group by dl.message_no order by dl.message_no limit ${pageRows}
   ) t
   left join messages m on m.message_no = t.message_no and ($4::int is null or m.app_no = $4)
   left join apps a on a.app_no = m.app_no
   order by t.message_no`,
  ({ appNos, appNo }) => [appNos, appNo],
)

const scheduled = part(
  'scheduled_messages',
  `select json_build_object(
     'id', m.id, 'created_at', m.created_at, 'send_at', m.send_at,
     'content', m.content -> 'content', 'apns', m.content -> 'apns', 'fcm', m.content -> 'fcm',
     'trigger', m.content -> 'trigger')::text as line,
     m.message_no::text as place
   from messages m
   where m.workspace_no = $3 and ${isScheduled}
     and m.message_no > case when $2::text is null then 0 else $2::bigint end
     and ($4::int is null or m.app_no = $4)
     and (m.audience ->> 'person_id' = $5 or m.audience -> 'person_ids' ? $5
          or exists (select from devices d
                     where d.person_no = $1 and (m.audience ->> 'token' = d.token
                                                 or m.audience -> 'tokens' ? d.token)))
   order by m.message_no`,
  ({ workspaceNo, appNo, personId }) => [workspaceNo, appNo, personId],
)

/** All parts, in the order in which an export has them. */
export const exportParts: readonly ExportPart[] = [
  devices,
  anonymousIds,
  events,
  timeline,
  messages,
  scheduled,
]
