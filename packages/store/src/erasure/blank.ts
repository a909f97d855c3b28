import type { AudienceInput } from '@pushkeep/domain'
import type { Sql } from '../connect.ts'

/** Most recipients of a message whose recipients are looked at one by one. */
const fewRecipients = 500

/** A message that may have been for erased people alone. */
export interface Suspect {
  id: string
  audience: AudienceInput
}

// A person who was erased has no row. A device of nobody counts for somebody else.
const isSomebody = (personNo: string) =>
  `(${personNo} is null or exists (select from people where person_no = ${personNo}))`

/**
 * Of messages to named people or tokens, those that no one but erased people was sent, or is to be sent.
 * `condition` chooses among messages `m` with `values`.
 */
export async function forErasedOnly(
  sql: Sql,
  condition: string,
  values: unknown[],
): Promise<Suspect[]> {
  const { rows } = await sql.query<Suspect>(
    `select m.id, m.audience from messages m join message_counts c using (message_no)
     where ${condition} and not m.audience ? 'all' and m.planned_at is not null
       and c.recipients between 1 and ${fewRecipients}
       and not exists (select from deliveries d
                       where d.message_no = m.message_no and ${isSomebody('d.person_no')})
       and not exists (
         select from chunks k cross join unnest(k.person_nos) as r(person_no)
         where k.message_no = m.message_no and k.state <> 'done' and ${isSomebody('r.person_no')})`,
    values,
  )
  return rows
}

/** A message as it stays: with these names, and with what it says or without. */
export interface ErasedMessage {
  id: string
  audience: AudienceInput
  isBlank: boolean
}

/**
 * Writes messages back without an erased person's names; where blank, without content, the person's attributes
 * that it read, and what its sender chose to call it. By id: a scheduled message changes its number.
 */
export async function writeErased(sql: Sql, messages: readonly ErasedMessage[]): Promise<void> {
  if (messages.length === 0) return
  await sql.query(
    `update messages m
     set audience = g.audience,
         content = case when g.is_blank then '{}' else m.content end,
         person_keys = case when g.is_blank then null else m.person_keys end,
         collapse_id = case when g.is_blank then m.id::text else m.collapse_id end
     from json_to_recordset($1) as g(id uuid, audience jsonb, is_blank boolean) where m.id = g.id`,
    [
      JSON.stringify(
        messages.map(({ id, audience, isBlank }) => ({ id, audience, is_blank: isBlank })),
      ),
    ],
  )
  // Their keys may say who they were for. They were accepted in one statement: the times are the same.
  await sql.query(
    `delete from idempotency_keys k using messages m
     where m.id = any($1) and k.created_at = m.created_at and k.message_id = m.id`,
    [messages.flatMap(({ id, isBlank }) => (isBlank ? [id] : []))],
  )
}
