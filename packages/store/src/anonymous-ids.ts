import { type AttributeChange, type Attributes, foldChanges } from '@pushkeep/domain'
import type { Sql } from './connect.ts'

/** What a batch of calls says of a phone where nobody is, or was, identified. */
export interface AnonymousCall {
  workspaceNo: number
  anonymousId: string
  /** What is said of the nobody. */
  change: AttributeChange | null
  /** A person was identified on that phone. */
  identified: { personNo: number; id: string; removed: string[] } | null
  /**
   * Where the owner of the anonymous id has to be proven: the people whom the call proves. Else what it says
   * stays the nobody's. Left out: no proof is needed.
   */
  provenIds?: readonly string[] | undefined
}

export interface AnonymousId {
  workspaceNo: number
  anonymousId: string
  /** Whose it is; null: nobody's so far. */
  personNo: number | null
  personId: string | null
  attributes: Attributes
}

/** The person to whom an anonymous id belongs. */
export interface AnonymousOwner {
  personNo: number
  id: string
}

/** Whose the anonymous ids of a batch are, once it is committed; by `anonymousKey`. */
export type AnonymousOwners = ReadonlyMap<string, AnonymousOwner>

/** The owner of an anonymous id, as far as a call may speak for them; null: nobody, or not for this call. */
export function ownerFor(
  owners: AnonymousOwners,
  { provenIds, ...name }: AnonymousName & Pick<AnonymousCall, 'provenIds'>,
): AnonymousOwner | null {
  const owner = owners.get(anonymousKey(name))
  if (owner === undefined) return null
  return provenIds === undefined || provenIds.includes(owner.id) ? owner : null
}

export function anonymousKey({ workspaceNo, anonymousId }: AnonymousName): string {
  return `${workspaceNo} ${anonymousId}`
}

type AnonymousName = Pick<AnonymousId, 'workspaceNo' | 'anonymousId'>

/**
 * How long an anonymous id counts after it was seen last: as long as its events wait to become
 * somebody's.
 */
export const anonymousDays = 30

/** Most events that one identification takes over. */
const takeoverMax = 10_000

// An id that is somebody's gathers nothing more. Writing each one also locks it until the end of the
// transaction: events of a phone and the identification that takes them over never miss each other.
const touchText = `
  with input as materialized (
    select * from json_to_recordset($1) as i(
      workspace_no int, anonymous_id text, set jsonb, removed text[])
  ), touched as (
    insert into anonymous_ids as a (workspace_no, anonymous_id, attributes)
    select workspace_no, anonymous_id, set from input order by workspace_no, anonymous_id
    on conflict (workspace_no, anonymous_id) do update
    set seen_on = current_date,
        attributes = case when a.person_no is null
          then (a.attributes || excluded.attributes) - (
            select removed from input i
            where i.workspace_no = a.workspace_no and i.anonymous_id = a.anonymous_id)
          else a.attributes end
    returning workspace_no, anonymous_id, person_no, attributes
  )
  select workspace_no as "workspaceNo", anonymous_id as "anonymousId",
         person_no::float8 as "personNo", attributes,
         (select id from people p
          where p.person_no = t.person_no and p.workspace_no = t.workspace_no) as "personId"
  from touched t`

/**
 * Names the owners whom another transaction made while `touch` waited for it: the statement saw the row that
 * names their number, and its snapshot has no such person.
 */
async function withOwners(sql: Sql, ids: AnonymousId[]): Promise<AnonymousId[]> {
  const unseen = ids.flatMap(({ personNo, personId }) =>
    personNo !== null && personId === null ? [personNo] : [],
  )
  if (unseen.length === 0) return ids
  const { rows } = await sql.query<{ personNo: number; id: string }>({
    name: 'ids-of-owners',
    text: `select person_no::float8 as "personNo", id from people where person_no = any($1::bigint[])`,
    values: [unseen],
  })
  const found = new Map(rows.map(({ personNo, id }) => [personNo, id]))
  return ids.map((one) => ({
    ...one,
    personId: one.personId ?? (one.personNo === null ? null : (found.get(one.personNo) ?? null)),
  }))
}

/** Notes what calls say of anonymous ids, and finds whose these are. */
async function touch(sql: Sql, calls: readonly AnonymousCall[]): Promise<AnonymousId[]> {
  const changes = new Map<string, { name: AnonymousName; changes: AttributeChange[] }>()
  for (const call of calls) {
    const entry = changes.get(anonymousKey(call)) ?? { name: call, changes: [] }
    if (call.change) entry.changes.push(call.change)
    changes.set(anonymousKey(call), entry)
  }
  const rows = [...changes.values()].map(({ name, changes }) => {
    const { set, remove } = foldChanges(changes.map((change) => ({ change, at: null })))
    return {
      workspace_no: name.workspaceNo,
      anonymous_id: name.anonymousId,
      set,
      removed: remove,
    }
  })
  const result = await sql.query<AnonymousId>({
    name: 'touch-anonymous-ids',
    text: touchText,
    values: [JSON.stringify(rows)],
  })
  return result.rows
}

/** An anonymous id that becomes somebody's. */
interface Takeover {
  workspace_no: number
  anonymous_id: string
  person_no: number
}

// The person's own attributes count more than those of the nobody, who may have been them or may not.
// What would make a person too large is left. Events are changed by place: of a join by key the planner
// might make a scan of all events. Nobody else changes them, since their id is locked.
const takeOverText = `
  with taken as materialized (
    select * from json_to_recordset($1) as t(
      workspace_no int, anonymous_id text, person_no bigint)
  ), claimed as (
    insert into anonymous_ids (workspace_no, anonymous_id, person_no)
    select workspace_no, anonymous_id, person_no from taken
    on conflict (workspace_no, anonymous_id) do update
    set person_no = excluded.person_no, attributes = '{}'
  ), filled as (
    update people p
    set attributes = f.attributes || p.attributes, updated_at = now(),
        email_vouched = case when f.attributes ? 'email' and not p.attributes ? 'email'
          then false else p.email_vouched end
    from json_to_recordset($2) as f(person_no bigint, attributes jsonb)
    where p.person_no = f.person_no and p.blocked_at is null
      and attributes_fit(f.attributes || p.attributes)
  )
  update person_events e set person_no = w.person_no
  from (
    select t.person_no, found.tableoid as partition, found.ctid as place
    from taken t cross join lateral (
      select tableoid, ctid from person_events
      where workspace_no = t.workspace_no and anonymous_id = t.anonymous_id and person_no is null
        and received_at > now() - interval '${anonymousDays} days'
      order by event_no desc limit ${takeoverMax}) found
  ) w
  where e.tableoid = w.partition and e.ctid = w.place`

/**
 * Applies what calls say of anonymous ids, in their order. The first person who is identified under
 * an id has it for good, takes over what happened under it, and what was said of the nobody where
 * they had nothing of that name. It is never anybody else's.
 */
export async function applyAnonymous(
  sql: Sql,
  calls: readonly AnonymousCall[],
): Promise<AnonymousOwners> {
  const touched = await withOwners(sql, await touch(sql, calls))
  const ids = new Map(touched.map((id) => [anonymousKey(id), id]))
  const owners = new Map<string, AnonymousOwner>()
  for (const [key, { personNo, personId }] of ids) {
    if (personNo !== null && personId !== null) owners.set(key, { personNo, id: personId })
  }
  const takeovers: Takeover[] = []
  const filled = new Map<number, Attributes>()
  for (const call of calls) {
    const key = anonymousKey(call)
    const { identified, change } = call
    if (!owners.has(key) && identified) {
      const { personNo, id } = identified
      owners.set(key, { personNo, id })
      takeovers.push(takeoverOf(call, personNo))
      fill(filled, personNo, without(ids.get(key)?.attributes, identified.removed))
      continue
    }
    const owner = ownerFor(owners, call)
    if (owner && change) fill(filled, owner.personNo, change.set)
  }
  if (takeovers.length > 0 || filled.size > 0) await takeOver(sql, takeovers, filled)
  return owners
}

async function takeOver(
  sql: Sql,
  takeovers: readonly Takeover[],
  filled: ReadonlyMap<number, Attributes>,
): Promise<void> {
  const fills = [...filled].map(([person_no, attributes]) => ({ person_no, attributes }))
  await sql.query({
    name: 'take-over-anonymous-ids',
    text: takeOverText,
    values: [JSON.stringify(takeovers), JSON.stringify(fills)],
  })
}

function takeoverOf({ workspaceNo, anonymousId }: AnonymousName, personNo: number): Takeover {
  return {
    workspace_no: workspaceNo,
    anonymous_id: anonymousId,
    person_no: personNo,
  }
}

function fill(filled: Map<number, Attributes>, personNo: number, attributes: Attributes): void {
  if (Object.keys(attributes).length === 0) return
  filled.set(personNo, { ...filled.get(personNo), ...attributes })
}

function without(attributes: Attributes = {}, removed: readonly string[]): Attributes {
  const rest = { ...attributes }
  for (const key of removed) delete rest[key]
  return rest
}
