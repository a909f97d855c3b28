import { z } from 'zod'
import { StatusAnswer } from './behaviours.ts'

const count = z.int().nonnegative().max(1_000_000_000)

const StatusFault = StatusAnswer.omit({ kind: true, since: true }).extend({
  share: z.number().min(0).max(1).default(1),
})

const Limit = z.strictObject({
  requests: z.int().min(1),
  window_s: z.number().positive().max(86_400),
})
export type Limit = z.infer<typeof Limit>

const shared = {
  delay_ms: z.int().min(0).max(600_000),
  goaway_every: count,
  goaway_unprocessed: count,
  silent: z.boolean(),
  refuse: z.boolean(),
  untrusted: z.boolean(),
  status: StatusFault.nullable(),
  refuse_streams: count,
  max_concurrent_streams: z.int().min(1).max(1_000_000).nullable(),
  token_limit: Limit.nullable(),
}

const OAuthFault = z.strictObject({
  status: z.int().min(400).max(599),
  error: z.string().min(1).max(100),
})

const ApnsFaults = z.strictObject({
  ...shared,
  cold_start: z.boolean(),
  limit_provider_token_updates: z.boolean(),
})
export type ApnsFaults = z.infer<typeof ApnsFaults>

const FcmFaults = z.strictObject({
  ...shared,
  project_limit: Limit.nullable(),
  oauth: OAuthFault.nullable(),
})
export type FcmFaults = z.infer<typeof FcmFaults>

/** What both providers' faults have in common. */
export type ProviderFaults = z.infer<ReturnType<typeof sharedObject>>

function sharedObject() {
  return z.object(shared)
}

/** What `PUT /faults` takes: only what is named changes. */
export const FaultsPatch = z.strictObject({
  apns: ApnsFaults.partial().optional(),
  fcm: FcmFaults.partial().optional(),
})
export type FaultsPatch = z.infer<typeof FaultsPatch>

const NONE: ProviderFaults = {
  delay_ms: 0,
  goaway_every: 0,
  goaway_unprocessed: 0,
  silent: false,
  refuse: false,
  untrusted: false,
  status: null,
  refuse_streams: 0,
  max_concurrent_streams: null,
  token_limit: null,
}

/** A provider in good health. */
export function apnsInHealth(): ApnsFaults {
  return { ...NONE, cold_start: true, limit_provider_token_updates: false }
}

/** A provider in good health. */
export function fcmInHealth(): FcmFaults {
  return { ...NONE, project_limit: null, oauth: null }
}
