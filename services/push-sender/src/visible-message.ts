import { callerOf, noteRequest, notFound } from '@pushkeep/runtime'
import { findMessage, type MessageReport, type Sql } from '@pushkeep/store'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'

const Id = z.uuid()

/**
 * The message with this id, if the caller may see it; otherwise it is as good as not there. The
 * request's line in the log tells which.
 */
export async function visibleMessage(
  sql: Sql,
  request: FastifyRequest,
  id: string,
): Promise<MessageReport> {
  const { workspaceNo, appNo } = callerOf(request)
  const message = Id.safeParse(id).success
    ? await findMessage(sql, { workspaceNo, appNo, id })
    : null
  if (!message) throw notFound('unknown_message', 'there is no message with this id')
  noteRequest(request, { message_id: message.id })
  return message
}
