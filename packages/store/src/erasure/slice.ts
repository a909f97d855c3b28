import { hash } from 'node:crypto'
import { erasedStandIn, type RenamedAudience, renameInAudience } from '@pushkeep/domain'
import { type Database, inTransaction, type Sql } from '../connect.ts'
import { tokenHash } from '../token-hash.ts'
import { type ErasedMessage, forErasedOnly, type Suspect, writeErased } from './blank.ts'

/** Most erasures that one walk through a workspace's messages does. */
const togetherMax = 500

/** Most messages that one slice looks at. */
const sliceMessages = 500

/**
 * What was under way when the erasure was committed (a message that is accepted, a push that is sent) is
 * committed by then, since no statement takes longer than 30 s: a second round finds it.
 */
const secondRoundSeconds = 45

interface OpenErasure {
  erasureNo: string
  id: string
  workspaceNo: number
  personNo: string | null
  personHash: string
  tokenHashes: string[]
  deviceNos: string[]
  intoId: string | null
  step: 'deliveries' | 'messages'
  messageCursor: string
  /** Microseconds, as PostgreSQL keeps times. */
  askedAt: number
}

const columns = `
  erasure_no::text as "erasureNo", id, workspace_no as "workspaceNo", person_no::text as "personNo",
  replace(person_hash::text, '-', '') as "personHash",
  array(select replace(h::text, '-', '') from unnest(token_hashes) h) as "tokenHashes",
  device_nos::text[] as "deviceNos", into_id as "intoId", step,
  message_cursor::text as "messageCursor", (extract(epoch from asked_at) * 1e6)::float8 as "askedAt"`

/**
 * Does the next slice of erasures that are due, in one transaction; false: there is none. Those of one workspace
 * that stand at the same place walk together. One that is locked is left to the worker that has it.
 */
export async function eraseSlice(database: Database): Promise<boolean> {
  return inTransaction(database, async (sql) => {
    const { rows } = await sql.query<OpenErasure>(
      `with first as (
         select workspace_no, step, message_cursor from erasures
         where finished_at is null and due_at <= now()
         order by step = 'messages' and message_cursor > 0 desc, step, message_cursor, erasure_no limit 1
       )
       select ${columns} from erasures
       where (workspace_no, step, message_cursor) in (select * from first)
         and finished_at is null and due_at <= now()
       order by erasure_no limit ${togetherMax} for update skip locked`,
    )
    const [first] = rows
    if (!first) return false
    if (first.step === 'deliveries') await eraseDeliveries(sql, first)
    else await eraseNames(sql, rows)
    return true
  })
}

/** Messages that went to the person, by whatever name, and the timelines of their devices. */
async function eraseDeliveries(sql: Sql, erasure: OpenErasure): Promise<void> {
  const last = erasure.personNo === null ? null : await blankDelivered(sql, erasure)
  if (last !== null) {
    await moveOn(sql, [erasure], last)
    return
  }
  await sql.query(
    `delete from device_events
     where device_no = any($1::bigint[]) and (person_no is null or person_no = $2)`,
    [erasure.deviceNos, erasure.personNo],
  )
  await sql.query('delete from doubts where device_no = any($1::bigint[]) or person_no = $2', [
    erasure.deviceNos,
    erasure.personNo,
  ])
  await sql.query(
    `update erasures set step = 'messages', message_cursor =
       case round when 1 then 0
       else message_no_at(date_trunc('minute', asked_at) - interval '1 minute') end
     where erasure_no = $1`,
    [erasure.erasureNo],
  )
}

/** Returns the last message of the slice; null: there were no more. */
async function blankDelivered(sql: Sql, erasure: OpenErasure): Promise<string | null> {
  const { rows } = await sql.query<{ messageNo: string }>(
    `select message_no::text as "messageNo" from (
       select message_no from deliveries where person_no = $1 and message_no > $2
       order by message_no limit ${sliceMessages}) d
     group by message_no order by message_no`,
    [erasure.personNo, erasure.messageCursor],
  )
  const numbers = rows.map(({ messageNo }) => messageNo)
  const last = numbers.at(-1)
  if (last === undefined) return null
  const suspects = await forErasedOnly(sql, 'm.message_no = any($1::bigint[])', [numbers])
  await writeErased(
    sql,
    suspects.map((suspect) => withoutNames(erasure, suspect)),
  )
  return last
}

/** What went to a token that was theirs went to them, whosever the token is now. */
function withoutNames(erasure: OpenErasure, { id, audience }: Suspect): ErasedMessage {
  let place = 0
  const standIns = {
    // Ids are looked for in all messages.
    person: () => null,
    token: () => erasedStandIn(erasure.id, place++),
  }
  return { id, audience: renameInAudience(audience, standIns).audience, isBlank: true }
}

interface NamingMessage extends Suspect {
  isPlanned: boolean
  /** Microseconds. */
  createdAt: number
}

// Case does not matter to the tokens of APNs. What this finds is looked at again, exactly.
const isNamed = `exists (
  select from (
    select audience ->> 'person_id' union all select audience ->> 'token'
    union all select jsonb_array_elements_text(coalesce(audience -> 'person_ids', '[]'))
    union all select jsonb_array_elements_text(coalesce(audience -> 'tokens', '[]'))
  ) as n(name)
  where name_hash(name) = any($3::uuid[]) or name_hash(lower(name)) = any($3::uuid[]))`

const namingText = `
  with seen as materialized (
    select message_no, id, audience, planned_at is not null as "isPlanned",
           (extract(epoch from created_at) * 1e6)::float8 as "createdAt"
    from messages where workspace_no = $1 and message_no > $2
    order by message_no limit ${sliceMessages}
  )
  select (select count(*)::int from seen) as count,
         (select max(message_no)::text from seen) as last,
         (select coalesce(json_agg(s order by message_no), '[]')
          from (select * from seen where not audience ? 'all' and ${isNamed}) s) as found`

/** Names in audiences, and what was written to the erased alone: the next messages of a workspace. */
async function eraseNames(sql: Sql, erasures: readonly OpenErasure[]): Promise<void> {
  const [first] = erasures
  if (!first) return
  const hashes = erasures.flatMap(({ personHash, tokenHashes }) => [personHash, ...tokenHashes])
  const { rows } = await sql.query<{ count: number; last: string; found: NamingMessage[] }>({
    name: 'messages-naming',
    text: namingText,
    values: [first.workspaceNo, first.messageCursor, hashes],
  })
  const [slice] = rows
  if (!slice) return
  const renamed = slice.found.flatMap((message) => {
    const change = renamedBy(erasures, message)
    return change.isChanged ? [{ id: message.id, ...change }] : []
  })
  await writeErased(
    sql,
    renamed.map((one) => ({ ...one, isBlank: one.namesOnlyErased })),
  )
  const shared = renamed.filter((one) => !one.namesOnlyErased).map(({ id }) => id)
  const blank = await forErasedOnly(sql, 'm.id = any($1::uuid[])', [shared])
  await writeErased(
    sql,
    blank.map((one) => ({ ...one, isBlank: true })),
  )
  if (slice.count === sliceMessages) await moveOn(sql, erasures, slice.last)
  else await endRound(sql, erasures)
}

function renamedBy(erasures: readonly OpenErasure[], message: NamingMessage): RenamedAudience {
  const { audience, isPlanned, createdAt } = message
  const about = erasures.filter(({ askedAt }) => createdAt <= askedAt)
  const named = new Set([audience.person_id, ...(audience.person_ids ?? [])])
  return renameInAudience(audience, {
    person: (id) => {
      const hashed = hash('sha256', id, 'hex').slice(0, 32)
      const erasure = about.find(({ personHash }) => personHash === hashed)
      if (!erasure) return null
      const { intoId } = erasure
      // An id that stands twice in a list is planned once: the list must not get shorter meanwhile.
      if (intoId !== null && (isPlanned || !named.has(intoId))) return intoId
      return erasedStandIn(erasure.id)
    },
    token: (token) => {
      const hashed = tokenHash(token)
      const erasure = about.find(({ tokenHashes }) => tokenHashes.includes(hashed))
      return erasure ? erasedStandIn(erasure.id, erasure.tokenHashes.indexOf(hashed)) : null
    },
  })
}

function numbersOf(erasures: readonly OpenErasure[]): string[] {
  return erasures.map(({ erasureNo }) => erasureNo)
}

async function moveOn(
  sql: Sql,
  erasures: readonly OpenErasure[],
  messageNo: string,
): Promise<void> {
  await sql.query('update erasures set message_cursor = $2 where erasure_no = any($1::bigint[])', [
    numbersOf(erasures),
    messageNo,
  ])
}

// Once it is done, nothing says any more who it was about.
async function endRound(sql: Sql, erasures: readonly OpenErasure[]): Promise<void> {
  await sql.query(
    `update erasures
     set round = 2, step = 'deliveries', message_cursor = 0,
         due_at = asked_at + interval '${secondRoundSeconds} seconds',
         finished_at = case when round = 2 then now() end,
         into_id = case when round = 1 then into_id end,
         token_hashes = case when round = 1 then token_hashes else '{}' end,
         person_hash = case when round = 1 then person_hash
                            else '00000000-0000-0000-0000-000000000000' end
     where erasure_no = any($1::bigint[])`,
    [numbersOf(erasures)],
  )
}
