import { redisState } from '@pushkeep/queues'
import { scrub } from '@pushkeep/runtime'
import type { QueuesSeen } from '../judge/queues.ts'
import { addressOf } from '../place.ts'

/** Asks Redis about itself, where the queues are on one. */
export async function lookAtQueues(redisUrl: string | null): Promise<QueuesSeen> {
  if (redisUrl === null) return { kind: 'postgres' }
  const address = addressOf(redisUrl)
  try {
    return { kind: 'redis', address, state: await redisState(redisUrl) }
  } catch (error) {
    return { kind: 'failed', address, reason: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  return 'code' in error && typeof error.code === 'string' ? error.code : scrub(error.message)
}
