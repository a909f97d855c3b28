import type { NewMessage } from '@pushkeep/domain'
import { payloadProblem } from '@pushkeep/providers'
import { invalid, ProblemError } from '@pushkeep/runtime'

// As long as the id that the message will get; what a payload weighs depends on no more of it.
const someId = '00000000-0000-7000-8000-000000000000'

/**
 * Why a provider would refuse the message's payload, or null: 413 where it is too large, 422 where
 * it has a key that the provider keeps to itself. Better told now than for each device.
 */
export function payloadRefusal(message: NewMessage): ProblemError | null {
  const { content, apns, fcm, priority, ttl_seconds, collapse_id = someId } = message
  const problem = payloadProblem({
    id: someId,
    content,
    apns,
    fcm,
    priority,
    collapseId: collapse_id,
    ttlSeconds: ttl_seconds,
    expiresAt: Date.now() + ttl_seconds * 1000,
  })
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
