import { z } from 'zod'
import { AttributesInput } from './attributes.ts'
import type { DeliveryCounts } from './delivery.ts'
import { TokenInput } from './device.ts'
import { KnownPersonId } from './person.ts'
import { cleanText, isCleanText, plainText } from './text.ts'
import { ClientTime } from './time.ts'

/** Most ids in one audience list. */
export const audienceListMax = 10_000

/** APNs' limit of a collapse id, in bytes. */
export const collapseIdBytesMax = 64

/** FCM keeps a message four weeks at most, APNs 30 days. */
export const ttlSecondsMax = 28 * 86_400

/** A push older than three days is rarely wanted; whoever wants it says so. */
export const ttlSecondsDefault = 3 * 86_400

/** How far ahead a message may be scheduled. */
export const scheduleDaysMax = 90

const audienceKeys = ['person_id', 'person_ids', 'token', 'tokens', 'all'] as const

/**
 * Whom a message is for: exactly one of the five, or a token of a person. Of people, `devices` picks
 * among those that they have, and `subscribed` leaves out who unsubscribed.
 */
export const AudienceInput = z
  .strictObject({
    person_id: KnownPersonId.optional(),
    person_ids: z.array(KnownPersonId).min(1).max(audienceListMax).optional(),
    token: TokenInput.optional().describe('With `person_id`: only if it is theirs'),
    tokens: z.array(TokenInput).min(1).max(audienceListMax).optional(),
    all: z.literal(true).optional(),
    devices: z
      .enum(['all', 'last_used'], 'must be all or last_used')
      .optional()
      .describe('Of each person: all their devices (if left out), or the one used last'),
    subscribed: z
      .literal(true)
      .optional()
      .describe('Of people: only those whose attribute `unsubscribed` is not true'),
  })
  .superRefine((to, context) => {
    const keys = audienceKeys.filter((key) => to[key] !== undefined)
    const isTokenOfPerson = keys.join() === 'person_id,token'
    if (keys.length !== 1 && !isTokenOfPerson) {
      const message = `must have exactly one of ${audienceKeys.join(', ')} (or a person_id with a token)`
      context.addIssue({ code: 'custom', message })
    }
    const namesPeople = to.person_id !== undefined || to.person_ids !== undefined
    const message = 'is for person_id and person_ids'
    if (to.devices !== undefined && (isTokenOfPerson || !namesPeople)) {
      context.addIssue({ code: 'custom', path: ['devices'], message })
    }
    if (to.subscribed !== undefined && !namesPeople) {
      context.addIssue({ code: 'custom', path: ['subscribed'], message })
    }
  })
export type AudienceInput = z.infer<typeof AudienceInput>

const url = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
  .max(2048)
  // A URL parser takes a lone surrogate and NUL, PostgreSQL takes neither.
  .refine(isCleanText, 'must be valid Unicode without NUL')

/** What a push says. Every part is optional; a push with neither title nor body is silent. */
export const ContentInput = z.strictObject({
  title: cleanText(1000).optional(),
  body: cleanText(4000).optional(),
  image_url: url.optional(),
  link: cleanText(2048).optional().describe('Where a tap leads: a URL or a deep link'),
  badge: z.int().min(0).max(99_999).optional(),
  sound: cleanText(200).optional(),
  data: AttributesInput.optional().describe('Custom keys for the app'),
})
export type Content = z.infer<typeof ContentInput>

const apnsHeaders = [
  'apns-push-type',
  'apns-priority',
  'apns-expiration',
  'apns-collapse-id',
] as const

/** Raw parts of an APNs request, laid over what the content became. */
export const ApnsOverride = z.strictObject({
  headers: z.partialRecord(z.enum(apnsHeaders), cleanText(200)).optional(),
  payload: AttributesInput.optional().describe('Top-level keys replace; `aps` is merged by key'),
})
export type ApnsOverride = z.infer<typeof ApnsOverride>

/** Raw parts of an FCM `Message`, laid over what the content became. The target stays ours. */
export const FcmOverride = z
  .strictObject({
    data: AttributesInput.optional(),
    notification: AttributesInput.optional(),
    android: AttributesInput.optional(),
    apns: AttributesInput.optional(),
    fcm_options: AttributesInput.optional(),
  })
  .describe('Parts of a message of the FCM HTTP v1 API')
export type FcmOverride = z.infer<typeof FcmOverride>

/** Body of `POST /v1/messages`. */
export const NewMessage = z
  .strictObject({
    to: AudienceInput,
    content: ContentInput.optional(),
    apns: ApnsOverride.optional(),
    fcm: FcmOverride.optional(),
    templating: z
      .literal('liquid')
      .optional()
      .describe(
        'Texts with {{ }} or {% %} are Liquid templates, filled for each person with `customer` (their attributes, and `id`) and `trigger`; left out: texts are sent as they are',
      ),
    trigger: AttributesInput.optional().describe('What templates read as `trigger`'),
    app_id: z.uuid().optional().describe('Only devices of this app; all apps if left out'),
    send_at: ClientTime.optional().describe(
      `When to send it, at most ${scheduleDaysMax} days ahead; at once if left out or past. Whom it is for is found out then, and its time to live counts from then`,
    ),
    ttl_seconds: z.int().min(0).max(ttlSecondsMax).default(ttlSecondsDefault),
    priority: z.enum(['high', 'normal']).default('high'),
    collapse_id: plainText(collapseIdBytesMax)
      .optional()
      .describe('Pushes with the same id replace one another; the message id if left out'),
    on_unknown: z
      .enum(['retry', 'give_up'])
      .default('retry')
      .describe('What to do where a provider call ended without an answer'),
  })
  .refine((message) => message.content || message.apns || message.fcm, {
    path: ['content'],
    error: 'must be given, or one of apns and fcm',
  })
  .refine((message) => message.templating !== undefined || message.trigger === undefined, {
    path: ['trigger'],
    error: 'is for templating',
  })
export type NewMessage = z.infer<typeof NewMessage>

/** What the store keeps of a message beside its audience. `trigger` is for its templates, if it has any. */
export type MessageContent = Pick<NewMessage, 'content' | 'apns' | 'fcm' | 'trigger'>

/**
 * Where a message stands: `scheduled` until it is due, `accepted` until planned, `sending` until
 * nothing is pending.
 */
export const messageStates = ['scheduled', 'accepted', 'sending', 'done'] as const
export type MessageState = (typeof messageStates)[number]

/** What a message's state follows from. */
export interface MessageProgress {
  /** It waits for its time. */
  isScheduled: boolean
  /** Its whole audience is known. */
  isPlanned: boolean
  counts: Pick<DeliveryCounts, 'recipients' | 'pending'>
}

/** Chunks of a long list are sent while the rest is planned: there are recipients, but not all. */
export function messageStateOf({ isScheduled, isPlanned, counts }: MessageProgress): MessageState {
  if (isScheduled) return 'scheduled'
  if (!isPlanned) return counts.recipients === 0 ? 'accepted' : 'sending'
  return counts.pending > 0 ? 'sending' : 'done'
}

/** A message to named people or tokens must not wait behind a broadcast. */
export const transactionalAudienceMax = 100

/** Unless these people have more devices of one app than so many: others' pushes must not wait behind them. */
export const transactionalDevicesMax = 500
