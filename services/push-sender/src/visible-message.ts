import { type Caller, notFound } from '@pushkeep/runtime'
import { findMessage, type MessageReport, type Sql } from '@pushkeep/store'
import { z } from 'zod'

const Id = z.uuid()

/** The message with this id, if the caller may see it; otherwise it is as good as not there. */
export async function visibleMessage(
  sql: Sql,
  { workspaceNo, appNo }: Caller,
  id: string,
): Promise<MessageReport> {
  const message = Id.safeParse(id).success
    ? await findMessage(sql, { workspaceNo, appNo, id })
    : null
  if (!message) throw notFound('unknown_message', 'there is no message with this id')
  return message
}
