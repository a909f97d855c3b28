import type { RedisState } from '@pushkeep/queues'
import { type Finding, ok, problem, warning } from '../finding.ts'

/** Where the queues are, and what was seen of them. */
export type QueuesSeen =
  | { kind: 'postgres' }
  | { kind: 'failed'; address: string; reason: string }
  | { kind: 'redis'; address: string; state: RedisState }

const testedVersion = 7
const fullShare = 0.8

export function judgeQueues(seen: QueuesSeen): Finding[] {
  switch (seen.kind) {
    case 'postgres':
      return [ok('queues', 'in PostgreSQL: REDIS_URL is not set')]
    case 'failed':
      return [
        problem(
          'queues',
          `Redis at ${seen.address}: ${seen.reason}`,
          'see that REDIS_URL is right and Redis runs (docs/runbooks/queues-unreachable.md)',
        ),
      ]
    case 'redis':
      return judgeRedis(seen.state, `Redis ${seen.state.version} at ${seen.address}`)
  }
}

function judgeRedis(state: RedisState, name: string): Finding[] {
  const faults = [
    ...(state.isReplica
      ? [problem('queues', `${name} is a replica`, 'name the primary in REDIS_URL')]
      : []),
    ...(state.evictionPolicy === 'noeviction'
      ? []
      : [
          problem(
            'queues',
            `${name} throws away keys when it is full: maxmemory-policy ${state.evictionPolicy}`,
            'set maxmemory-policy noeviction',
          ),
        ]),
    ...(state.memoryShare !== null && state.memoryShare > fullShare
      ? [
          warning(
            'queues',
            `${name} uses ${Math.round(state.memoryShare * 100)} % of its memory`,
            'raise maxmemory, or see why jobs wait (docs/runbooks/jobs-wait.md)',
          ),
        ]
      : []),
    ...(state.isAppendOnly
      ? []
      : [
          warning(
            'queues',
            `${name} forgets the queues when it restarts, and they are rung again from PostgreSQL`,
            'set appendonly yes',
          ),
        ]),
    ...(state.majorVersion < testedVersion
      ? [warning('queues', name, `upgrade it to Redis ${testedVersion} or newer`)]
      : []),
  ]
  return faults.length > 0 ? faults : [ok('queues', `${name}, noeviction, append-only file on`)]
}
