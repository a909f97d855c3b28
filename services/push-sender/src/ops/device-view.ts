import type { Device, Trace as TraceBody } from '@pushkeep/console-api'
import { type LaneStanding, obstaclesOf } from '@pushkeep/domain'
import type { StandingDevice, Trace } from '@pushkeep/store'
import type { ProviderStanding } from './provider-health.ts'

/** How the lane stands that a device's pushes take. */
export function laneOf(
  device: StandingDevice,
  standings: readonly ProviderStanding[],
  workers: number,
): LaneStanding {
  const standing = standings.find(
    ({ appNo, provider }) => appNo === device.appNo && provider === device.provider,
  )
  const { state, breaker = null } = standing ?? {}
  return {
    hasCredentials: standing !== undefined,
    paused: state?.pausedAt
      ? { at: state.pausedAt.getTime(), reason: state.pauseReason ?? '' }
      : null,
    isBreakerOpen: breaker !== null,
    workers,
  }
}

/** A device with what stands against a push to it now. */
export function deviceBody(
  device: StandingDevice,
  lane: LaneStanding,
  personSuppressed: boolean,
): Device {
  const { deadAt, deadReason, pushPermission, failures } = device
  const dead = deadAt && { at: deadAt.getTime(), reason: deadReason }
  const obstacles = obstaclesOf({ personSuppressed, dead, pushPermission, failures }, lane)
  return {
    app_id: device.appId,
    fingerprint: device.fingerprint,
    platform: device.platform,
    provider: device.provider,
    environment: device.environment,
    attributes: device.attributes,
    has_installation: device.installationId !== null,
    last_used: new Date(device.lastUsed * 1000).toISOString(),
    created_at: device.createdAt.toISOString(),
    registered_at: device.registeredAt.toISOString(),
    last_status: device.lastStatus,
    status_at: device.statusAt?.toISOString() ?? null,
    obstacles: obstacles.map(({ since, ...obstacle }) => ({
      ...obstacle,
      since: since === null ? null : new Date(since).toISOString(),
    })),
  }
}

/** What became of a message at a device. */
export function traceBody(trace: Trace): TraceBody {
  switch (trace.kind) {
    case 'delivery':
      return { ...trace, at: trace.at.toISOString() }
    case 'waiting':
      return { kind: trace.kind, is_active: trace.isActive, due_at: trace.dueAt.toISOString() }
    case 'absent':
      return trace
  }
}
