import { KnownPersonId } from '@pushkeep/domain'
import { z } from 'zod'
import { MessageState } from './messages.ts'
import { Count, EnvironmentName, Free, PlatformName, ProviderName, Status, Time } from './shared.ts'

/** `POST /ops/api/people/search`: the beginning of an id, or a token. In a body: it is personal. */
export const PeopleSearch = z.strictObject({ text: z.string().max(4096) })

export const FoundPerson = z.object({
  id: z.string(),
  suppressed: z.boolean(),
  /** 100 at most. */
  devices: Count,
  updated_at: Time,
})
export type FoundPerson = z.infer<typeof FoundPerson>

export const PeopleFound = z.object({
  people: z.array(FoundPerson),
  /** There are more whose ids begin so. */
  is_cut: z.boolean(),
})
export type PeopleFound = z.infer<typeof PeopleFound>

/** Why a push would not reach a device, or not now. */
export const Obstacle = z.object({
  effect: z.enum(['withholds', 'delays']),
  kind: z.enum([
    'person_suppressed',
    'token_dead',
    'push_disabled',
    'wrong_app',
    'no_credentials',
    'lane_paused',
    'breaker_open',
    'no_workers',
  ]),
  since: Time.nullable(),
  detail: z.string().nullable(),
})
export type Obstacle = z.infer<typeof Obstacle>

export const Device = z.object({
  app_id: z.string(),
  /** A hash of its token; the token itself is never shown. */
  fingerprint: z.string(),
  platform: PlatformName,
  provider: ProviderName,
  environment: EnvironmentName.nullable(),
  attributes: Free,
  has_installation: z.boolean(),
  last_used: Time,
  created_at: Time,
  registered_at: Time,
  last_status: z.enum(['', 'sent', 'bounced', 'suppressed']),
  status_at: Time.nullable(),
  /** What would stand against a push at this moment; empty: it would be sent. */
  obstacles: z.array(Obstacle),
})
export type Device = z.infer<typeof Device>

export const PersonDelivery = z.object({
  message_id: z.string(),
  title: z.string().nullable(),
  fingerprint: z.string(),
  status: Status,
  reason: z.string().nullable(),
  attempts: Count,
  at: Time,
})
export type PersonDelivery = z.infer<typeof PersonDelivery>

/** `GET /ops/api/people/{id}` */
export const Person = z.object({
  id: z.string(),
  attributes: Free,
  suppressed: z.boolean(),
  created_at: Time,
  updated_at: Time,
  devices: z.array(Device),
  /** The last ones, newest message first. */
  deliveries: z.array(PersonDelivery),
})
export type Person = z.infer<typeof Person>

/** `GET /ops/api/apps/{app}/devices/{fingerprint}/timeline` */
export const Timeline = z.object({
  events: z.array(
    z.object({
      at: Time,
      kind: z.string(),
      person_id: z.string().nullable(),
      from_person_id: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  /** There is more than is shown. */
  is_cut: z.boolean(),
})
export type Timeline = z.infer<typeof Timeline>

/** What became of a message at a device. */
export const Trace = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('delivery'),
    status: Status,
    reason: z.string().nullable(),
    attempts: Count,
    at: Time,
  }),
  z.object({ kind: z.literal('waiting'), is_active: z.boolean(), due_at: Time }),
  z.object({
    kind: z.literal('absent'),
    why: z.enum([
      'other_app',
      'not_named',
      'not_planned_yet',
      'registered_later',
      'tied_later',
      'unknown',
    ]),
  }),
])
export type Trace = z.infer<typeof Trace>

/** `GET /ops/api/people/{id}/why/{message}`: what became of a message at each of their devices. */
export const Why = z.object({
  message: z.object({
    id: z.string(),
    title: z.string().nullable(),
    created_at: Time,
    state: MessageState,
  }),
  devices: z.array(z.object({ app_id: z.string(), fingerprint: z.string(), trace: Trace })),
})
export type Why = z.infer<typeof Why>

/** `POST /ops/api/apps/{app}/devices/{fingerprint}/test`: sends a push to one device. */
export const TestPush = z.strictObject({
  title: z.string().min(1, 'is required').max(200),
  body: z.string().max(1000),
  /** Whose device it was when the page was read: it is not sent to somebody else's. */
  person_id: KnownPersonId.nullable(),
})
export const TestSent = z.object({ message_id: z.string() })
