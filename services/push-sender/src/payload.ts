import type { NewMessage } from '@pushkeep/domain'
import { type PayloadProblem, payloadProblem, withoutTemplates } from '@pushkeep/providers'
import { invalid, ProblemError } from '@pushkeep/runtime'
import { appsOf, type Sql } from '@pushkeep/store'

// As long as the id that the message will get; what a payload weighs depends on no more of it.
const someId = '00000000-0000-7000-8000-000000000000'

/** Whose devices a message is for; `appNo` null: those of every app of the workspace. */
export interface Target {
  workspaceNo: number
  appNo: number | null
}

/**
 * Why a provider would refuse the message's payload, or null: 413 where it is too large, 422 where
 * it has a key that the provider keeps to itself. Better told now than for each device.
 */
export async function payloadRefusal(
  sql: Sql,
  message: NewMessage,
  target: Target,
): Promise<ProblemError | null> {
  const problem = await problemOf(sql, message, target)
  if (!problem) return null
  const error = { path: problem.path, message: problem.message }
  switch (problem.kind) {
    case 'forbidden':
      return invalid([error])
    case 'too-large':
      return new ProblemError(413, 'payload_too_large', {
        detail: `${error.path} ${error.message}`,
        errors: [error],
      })
  }
}

/** Judged with the keys of Customer.io's SDKs; only what fails for them asks whether they are sent. */
async function problemOf(
  sql: Sql,
  message: NewMessage,
  target: Target,
): Promise<PayloadProblem | null> {
  const problem = problemWith(message, true)
  if (problem?.kind !== 'too-large' || (await carrySdkKeys(sql, target))) return problem
  return problemWith(message, false)
}

function problemWith(message: NewMessage, sdkKeys: boolean): PayloadProblem | null {
  const { priority, ttl_seconds, collapse_id = someId } = message
  // What templates become is known for each person only, who is refused then if it is too much.
  const { content, apns, fcm } = message.templating ? withoutTemplates(message) : message
  return payloadProblem({
    id: someId,
    content,
    apns,
    fcm,
    priority,
    collapseId: collapse_id,
    ttlSeconds: ttl_seconds,
    expiresAt: Date.now() + ttl_seconds * 1000,
    sdkKeys,
  })
}

async function carrySdkKeys(sql: Sql, { workspaceNo, appNo }: Target): Promise<boolean> {
  const apps = await appsOf(sql, workspaceNo)
  return apps.some((app) => app.sdkKeys && (appNo === null || app.appNo === appNo))
}
