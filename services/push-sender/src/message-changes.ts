import { actorOf, type Caller, conflict } from '@pushkeep/runtime'
import {
  type AuditAction,
  audit,
  cancelMessage,
  type Database,
  findApp,
  inTransaction,
  type MessageReport,
  releaseMessage,
  type Sql,
} from '@pushkeep/store'
import { visibleMessage } from './visible-message.ts'

/** Cancels a message, for whoever may see it, and writes down who did. Answers with it as it is now. */
export async function cancel(
  database: Database,
  caller: Caller,
  messageId: string,
): Promise<MessageReport> {
  const report = await visibleMessage(database, caller, messageId)
  const { workspaceNo, appNo } = caller
  await inTransaction(database, async (sql) => {
    if (!(await cancelMessage(sql, { workspaceNo, appNo, id: report.id }))) {
      throw conflict('message_done', 'nothing of this message is left to cancel')
    }
    if (report.cancelledAt === null) await note(sql, caller, report, 'message.cancel')
  })
  return visibleMessage(database, caller, report.id)
}

/** Sends a scheduled message now, for whoever may see it, and writes down who did. */
export async function release(
  database: Database,
  caller: Caller,
  messageId: string,
): Promise<MessageReport> {
  const report = await visibleMessage(database, caller, messageId)
  const { workspaceNo, appNo } = caller
  await inTransaction(database, async (sql) => {
    const released = await releaseMessage(sql, { workspaceNo, appNo, id: report.id })
    if (released === 'not-scheduled') throw conflict('not_scheduled', 'it was for at once')
    if (released === 'cancelled') throw conflict('message_cancelled', 'it is cancelled')
    if (released === 'released') await note(sql, caller, report, 'message.release')
  })
  return visibleMessage(database, caller, report.id)
}

async function note(
  sql: Sql,
  caller: Caller,
  { id, appId }: MessageReport,
  action: AuditAction,
): Promise<void> {
  const app = appId === null ? null : await findApp(sql, appId)
  const target = { kind: 'message', id } as const
  await audit(sql, {
    actor: actorOf(caller),
    action,
    target,
    appNo: app?.appNo ?? null,
    detail: {},
  })
}
