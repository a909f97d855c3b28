import type { CredentialTask as TaskBody } from '@pushkeep/console-api'
import type { CredentialTask } from '@pushkeep/store'

/** What was asked of credentials, and what came of it. */
export function taskBody(task: CredentialTask): TaskBody {
  const { id, kind, provider, outcome, findings } = task
  return {
    id,
    kind,
    provider,
    asked_by: task.askedBy,
    asked_at: task.askedAt.toISOString(),
    finished_at: task.finishedAt?.toISOString() ?? null,
    outcome,
    findings,
  }
}
