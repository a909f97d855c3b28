import type { Minute, Overview, Problem } from '@pushkeep/console-api'
import { diagnose, type SystemProblem } from '@pushkeep/domain'
import {
  acceptedMinutes,
  type Backlog,
  backlogOf,
  type DeviceCounts,
  deviceCounts,
  type Sql,
  settledMinutes,
  workersNow,
} from '@pushkeep/store'
import { factsOf, healthBody, type ProviderStanding, readStandings } from './provider-health.ts'
import type { QueueAccess, QueueDepth } from './queue-access.ts'
import { appIdOf, type Scope } from './scope.ts'

const minuteMs = 60_000

/** Minutes that are drawn, the one that is not over included. */
const minutesShown = 61

/** What somebody on call wants to know first. `now` in ms. */
export async function readOverview(
  sql: Sql,
  access: QueueAccess,
  scope: Scope,
  now: number,
): Promise<Overview> {
  const { appNos } = scope
  const workers = await workersNow(sql, appNos)
  const [standings, minutes, backlog, queues, devices] = await Promise.all([
    readStandings(sql, appNos, workers, now),
    readMinutes(sql, scope, now),
    backlogOf(sql, scope),
    access.depths(now).catch(() => null),
    deviceCounts(sql, appNos),
  ])
  const problems = diagnose({
    now,
    workers,
    areQueuesReachable: queues !== null,
    providers: standings.map(factsOf),
    waiting: backlog.lanes.flatMap(({ oldestSeconds, ...lane }) =>
      oldestSeconds === null ? [] : [{ ...lane, seconds: oldestSeconds }],
    ),
    unplannedSeconds: backlog.unplannedSeconds,
    appsWithoutCredentials: appNos.filter((no) => !standings.some(({ appNo }) => appNo === no)),
  })
  return {
    at: new Date(now).toISOString(),
    apps: scope.apps.map(({ id, name }) => ({ id, name })),
    problems: problems.map((problem) => problemBody(scope, problem)),
    minutes,
    workers: { alive: workers.alive, missed: workers.missed },
    providers: standings.map((standing: ProviderStanding) =>
      healthBody(standing, appIdOf(scope, standing.appNo)),
    ),
    backlog: backlogBody(scope, backlog),
    // The jobs of every workspace are counted in them.
    queues: queues && (scope.isInstallation ? queues.map(queueBody) : []),
    devices: devices && devicesBody(scope, devices),
  }
}

async function readMinutes(sql: Sql, scope: Scope, now: number): Promise<Minute[]> {
  const first = Math.floor(now / minuteMs) * minuteMs - (minutesShown - 1) * minuteMs
  const from = new Date(first)
  const [settled, accepted] = await Promise.all([
    settledMinutes(sql, { appNos: scope.appNos, from }),
    acceptedMinutes(sql, { ...scope, from }),
  ])
  const settledAt = new Map(settled.map(({ minute, ...sums }) => [minute.getTime(), sums]))
  const acceptedAt = new Map(accepted.map((row) => [row.minute.getTime(), row.recipients]))
  return Array.from({ length: minutesShown }, (_, index) => {
    const at = first + index * minuteMs
    const sums = settledAt.get(at)
    return {
      at: new Date(at).toISOString(),
      accepted: acceptedAt.get(at) ?? 0,
      sent: sums?.sent ?? 0,
      bounced: sums?.bounced ?? 0,
      suppressed: sums?.suppressed ?? 0,
      failed: sums?.failed ?? 0,
      expired: sums?.expired ?? 0,
    }
  })
}

function backlogBody(scope: Scope, backlog: Backlog): Overview['backlog'] {
  return {
    lanes: backlog.lanes.map(
      ({ appNo, provider, lane, waiting, active, later, oldestSeconds }) => ({
        app_id: appIdOf(scope, appNo),
        provider,
        lane,
        waiting,
        active,
        later,
        oldest_seconds: oldestSeconds === null ? null : Math.round(oldestSeconds),
      }),
    ),
    is_cut: backlog.isCut,
    unplanned: backlog.unplanned,
  }
}

function queueBody({ name, waiting, active, failed, oldestSeconds }: QueueDepth) {
  const oldest_seconds = oldestSeconds === null ? null : Math.round(oldestSeconds)
  return { name, waiting, active, failed, oldest_seconds }
}

function devicesBody(scope: Scope, devices: DeviceCounts): NonNullable<Overview['devices']> {
  return {
    counted_at: devices.countedAt.toISOString(),
    is_estimate: devices.isEstimate,
    counts: devices.counts.map(({ appNo, pushDisabled, ...count }) => ({
      ...count,
      app_id: appIdOf(scope, appNo),
      push_disabled: pushDisabled,
    })),
  }
}

/** The same problem with the ids that callers know. */
function problemBody(scope: Scope, problem: SystemProblem): Problem {
  const iso = (ms: number) => new Date(ms).toISOString()
  const { severity } = problem
  switch (problem.kind) {
    case 'workers_gone':
    case 'queue_unreachable':
    case 'worker_missed':
    case 'planning_late':
      return problem
    case 'no_credentials':
      return { kind: problem.kind, severity, app_id: appIdOf(scope, problem.appNo) }
    case 'lane_paused':
    case 'mass_bounce_guard': {
      const { kind, since, reason } = problem
      return { kind, severity, ...laneBody(scope, problem), since: iso(since), reason }
    }
    case 'breaker_open':
      return { kind: problem.kind, severity, ...laneBody(scope, problem), trouble: problem.trouble }
    case 'message_held': {
      const { kind, messageId } = problem
      return { kind, severity, ...laneBody(scope, problem), message_id: messageId }
    }
    case 'errors_high': {
      const { kind, share, trouble } = problem
      return { kind, severity, ...laneBody(scope, problem), share, trouble }
    }
    case 'bounces_high':
      return { kind: problem.kind, severity, ...laneBody(scope, problem), share: problem.share }
    case 'backlog_old': {
      const { kind, lane, seconds } = problem
      return { kind, severity, ...laneBody(scope, problem), lane, seconds }
    }
    case 'credentials_expire': {
      const { kind, expiresAt } = problem
      return { kind, severity, ...laneBody(scope, problem), expires_at: iso(expiresAt) }
    }
  }
}

function laneBody(
  scope: Scope,
  { appNo, provider }: Extract<SystemProblem, { appNo: number; provider: unknown }>,
) {
  return { app_id: appIdOf(scope, appNo), provider }
}
