import type { WithheldReason } from './delivery.ts'
import { failuresMax } from './device-effect.ts'

/** What a device is known by when it is asked whether it would be sent to. Times in ms. */
export interface DeviceStanding {
  personSuppressed: boolean
  dead: { at: number; reason: string | null } | null
  /** The permission as the client reports it. */
  pushPermission: boolean
  /** Ambiguous answers in a row, while other devices of its app were accepted. */
  failures: number
}

/** How the lane stands that its pushes take. Times in ms. */
export interface LaneStanding {
  hasCredentials: boolean
  paused: { at: number; reason: string } | null
  /** Whether a breaker holds sending back while the provider does not serve. */
  isBreakerOpen: boolean
  /** Processes of workers that report. */
  workers: number
}

/** The delivery would end as suppressed or failed. */
export type Withholding =
  | Exclude<WithheldReason, 'reassigned' | 'deleted' | 'replaced' | 'cancelled'>
  | 'no_credentials'

/** The delivery would wait until it is lifted, or the message expires. */
export type Delaying = 'lane_paused' | 'breaker_open' | 'no_workers'

/** Why a push would not reach a device, or not now. */
export type Obstacle = (
  | { effect: 'withholds'; kind: Withholding }
  | { effect: 'delays'; kind: Delaying }
) & {
  /** ms since the epoch, where it is known. */
  since: number | null
  /** What the provider said, or why somebody paused it. */
  detail: string | null
}

/**
 * Everything that stands against a push to a device at this moment, in the order in which sending
 * looks at it: the first that withholds would be the reason of the delivery. Empty: it would be sent.
 */
export function obstaclesOf(device: DeviceStanding, lane: LaneStanding): Obstacle[] {
  const { dead } = device
  const { paused } = lane
  const withholds = (
    kind: Withholding,
    since: number | null = null,
    detail: string | null = null,
  ) => ({ effect: 'withholds', kind, since, detail }) as const
  const delays = (kind: Delaying, since: number | null = null, detail: string | null = null) =>
    ({ effect: 'delays', kind, since, detail }) as const
  return [
    device.personSuppressed && withholds('person_suppressed'),
    dead && withholds('token_dead', dead.at, dead.reason),
    !device.pushPermission && withholds('push_disabled'),
    device.failures >= failuresMax && withholds('wrong_app'),
    !lane.hasCredentials && withholds('no_credentials'),
    paused && delays('lane_paused', paused.at, paused.reason),
    lane.isBreakerOpen && delays('breaker_open'),
    lane.workers === 0 && delays('no_workers'),
  ].filter((obstacle) => obstacle !== false && obstacle !== null)
}
