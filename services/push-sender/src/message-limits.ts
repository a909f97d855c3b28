import type { NewMessage } from '@pushkeep/domain'
import { callerOf, spendOrRefuse } from '@pushkeep/runtime'
import type { FastifyRequest } from 'fastify'

/**
 * Counts a message against what its workspace may send: the message, and the people and tokens that it
 * names. Throws the 429 before anything of it is stored.
 */
export function limitMessage(request: FastifyRequest, { to }: Pick<NewMessage, 'to'>): void {
  const name = String(callerOf(request).workspaceNo)
  const named = to.person_ids?.length ?? to.tokens?.length ?? 1
  spendOrRefuse(request, [
    { limit: 'messages', name, cost: 1 },
    { limit: 'recipients', name, cost: named },
  ])
}
