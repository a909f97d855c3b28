import { z } from 'zod'
import {
  AppName,
  Count,
  EnvironmentName,
  LaneName,
  PlatformName,
  ProviderName,
  Settled,
  Time,
} from './shared.ts'

const severity = z.enum(['fault', 'warning'])
const ofLane = { app_id: z.string(), provider: ProviderName }

/** What keeps pushes from phones, or soon will; the worst first. */
export const Problem = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('workers_gone'), severity }),
  z.object({ kind: z.literal('worker_missed'), severity, missed: Count }),
  z.object({ kind: z.literal('queue_unreachable'), severity }),
  z.object({
    kind: z.literal('lane_paused'),
    severity,
    ...ofLane,
    since: Time,
    reason: z.string(),
  }),
  z.object({
    kind: z.literal('mass_bounce_guard'),
    severity,
    ...ofLane,
    since: Time,
    reason: z.string(),
  }),
  z.object({
    kind: z.literal('breaker_open'),
    severity,
    ...ofLane,
    trouble: z.string().nullable(),
  }),
  z.object({ kind: z.literal('message_held'), severity, ...ofLane, message_id: z.string() }),
  z.object({
    kind: z.literal('errors_high'),
    severity,
    ...ofLane,
    share: z.number(),
    trouble: z.string().nullable(),
  }),
  z.object({ kind: z.literal('bounces_high'), severity, ...ofLane, share: z.number() }),
  z.object({ kind: z.literal('backlog_old'), severity, ...ofLane, lane: LaneName, seconds: Count }),
  z.object({ kind: z.literal('planning_late'), severity, seconds: Count }),
  z.object({ kind: z.literal('credentials_expire'), severity, ...ofLane, expires_at: Time }),
  z.object({ kind: z.literal('no_credentials'), severity, app_id: z.string() }),
])
export type Problem = z.infer<typeof Problem>

/** A minute of the last hour. `accepted` counts recipients, as the others do. */
export const Minute = Settled.extend({ at: Time, accepted: Count })
export type Minute = z.infer<typeof Minute>

/** How an app's provider stands, and how it answered in the last quarter of an hour. */
export const ProviderHealth = z.object({
  ...ofLane,
  paused: z
    .object({
      at: Time,
      reason: z.string(),
      /** The delivery that led to it; null: not known. */
      cause: z
        .object({
          message_id: z.string().nullable(),
          person_id: z.string().nullable(),
          device: z.number(),
          agreed: z.number(),
        })
        .nullable(),
    })
    .nullable(),
  /** Set while the mass-bounce guard has tripped: no token is retired. */
  guard: z.object({ since: Time, reason: z.string() }).nullable(),
  /** A worker's breaker holds sending back; until when it lets no probe through. */
  breaker: z.object({ until: Time, refusals: Count }).nullable(),
  expires_at: Time.nullable(),
  calls: z.object({
    accepted: Count,
    token_dead: Count,
    message_refused: Count,
    misconfigured: Count,
    ambiguous: Count,
    throttled: Count,
    unavailable: Count,
  }),
  /** null: nothing was sent. */
  latency_ms: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable(),
  /** Why it last did not serve. */
  trouble: z.string().nullable(),
})
export type ProviderHealth = z.infer<typeof ProviderHealth>

export const QueueDepth = z.object({
  name: z.string(),
  waiting: Count,
  active: Count,
  failed: Count,
  /** Age of the job that has waited longest, in seconds. */
  oldest_seconds: z.number().nullable(),
})
export type QueueDepth = z.infer<typeof QueueDepth>

export const LaneBacklog = z.object({
  ...ofLane,
  lane: LaneName,
  waiting: Count,
  active: Count,
  later: Count,
  oldest_seconds: z.number().nullable(),
})
export type LaneBacklog = z.infer<typeof LaneBacklog>

export const DeviceCount = z.object({
  app_id: z.string(),
  platform: PlatformName,
  environment: EnvironmentName.nullable(),
  reachable: Count,
  suppressed: Count,
  dead: Count,
  push_disabled: Count,
  failing: Count,
})
export type DeviceCount = z.infer<typeof DeviceCount>

/** `GET /ops/api/overview`, and the live event `overview`. */
export const Overview = z.object({
  at: Time,
  apps: z.array(AppName),
  problems: z.array(Problem),
  /** The last hour; the last entry is the minute that is not over. */
  minutes: z.array(Minute),
  workers: z.object({ alive: Count, missed: Count }),
  providers: z.array(ProviderHealth),
  backlog: z.object({
    lanes: z.array(LaneBacklog),
    /** There is more than was counted. */
    is_cut: z.boolean(),
    unplanned: Count,
  }),
  /** null: the queues' server cannot be reached. Empty for those who do not operate the installation. */
  queues: z.array(QueueDepth).nullable(),
  /** null: not counted yet. */
  devices: z
    .object({ counted_at: Time, is_estimate: z.boolean(), counts: z.array(DeviceCount) })
    .nullable(),
})
export type Overview = z.infer<typeof Overview>
