import type { LaneTotals, OldestWork, OpenErasures } from '@pushkeep/store'
import { counted, duration, type Finding, ok, problem, warning } from '../finding.ts'

/** What is accepted and not done. */
export interface WorkSeen {
  /** Age of the oldest doorbell that is due. */
  outboxLagSeconds: number
  oldest: OldestWork
  backlog: readonly LaneTotals[]
  /** Messages of the last day whose counts are not those of their deliveries. */
  unbalanced: number
  erasures: OpenErasures
}

/** As the alerts have it. */
const urgentSeconds = 30
const bulkSeconds = 900

/** A walk through ten million messages takes minutes; an erasure that takes longer than this stands still. */
const erasureSeconds = 3600

export function judgeWork(seen: WorkSeen): Finding[] {
  const { outboxLagSeconds, oldest, backlog, unbalanced, erasures } = seen
  const late = [
    ...lateness('doorbells', outboxLagSeconds, urgentSeconds, 'outbox-lag'),
    ...lateness('transactional work', oldest.transactional, urgentSeconds, 'jobs-wait'),
    ...lateness('a broadcast', oldest.bulk, bulkSeconds, 'jobs-wait'),
    ...lateness('an audience', oldest.unplanned, bulkSeconds, 'jobs-wait'),
  ]
  const open = backlog.reduce((sum, { deliveries }) => sum + deliveries, 0)
  const paused = backlog.reduce((sum, lane) => sum + lane.paused, 0)
  return [
    ...late,
    ...(paused > 0
      ? [
          warning(
            'backlog',
            `${counted(paused, 'chunk')} wait for a paused lane`,
            'mend the credentials above; they expire with their messages',
          ),
        ]
      : []),
    ...(late.length === 0 && paused === 0
      ? [
          ok(
            'backlog',
            open === 0 ? 'nothing waits' : `${counted(open, 'delivery', 'deliveries')} under way`,
          ),
        ]
      : []),
    unbalanced === 0
      ? ok('books', 'the counts of all messages are those of their deliveries')
      : problem(
          'books',
          `${counted(unbalanced, 'message does', 'messages do')} not add up`,
          'docs/runbooks/unbalanced-messages.md',
        ),
    ...(erasures.oldestSeconds === null
      ? []
      : [judgeErasures(erasures.count, erasures.oldestSeconds)]),
  ]
}

function judgeErasures(count: number, oldestSeconds: number): Finding {
  const said = `names of ${counted(count, 'erased person', 'erased people')} are still taken out of messages, since ${duration(oldestSeconds)}`
  return oldestSeconds <= erasureSeconds
    ? ok('erasures', said)
    : warning('erasures', said, 'see that workers run, and their lines `erasing.failed`')
}

function lateness(what: string, seconds: number | null, most: number, runbook: string): Finding[] {
  if (seconds === null || seconds <= most) return []
  const said = `${what} waited for ${duration(seconds)} and could go now`
  return [problem('backlog', said, `see that workers run (docs/runbooks/${runbook}.md)`)]
}
