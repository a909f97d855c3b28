import { z } from 'zod'
import { AttributesInput } from './attributes.ts'
import { TokenInput } from './device.ts'
import { PersonId } from './person.ts'
import { cleanText, isCleanText } from './text.ts'

/** Most ids in one audience list. */
export const audienceListMax = 10_000

/** APNs' limit of a collapse id, in bytes. */
export const collapseIdBytesMax = 64

/** FCM keeps a message four weeks at most, APNs 30 days. */
export const ttlSecondsMax = 28 * 86_400

/** A push older than three days is rarely wanted; whoever wants it says so. */
export const ttlSecondsDefault = 3 * 86_400

const audienceKeys = ['person_id', 'person_ids', 'token', 'tokens', 'all'] as const

/** Whom a message is for: exactly one of the five. */
export const AudienceInput = z
  .strictObject({
    person_id: PersonId.optional(),
    person_ids: z.array(PersonId).min(1).max(audienceListMax).optional(),
    token: TokenInput.optional(),
    tokens: z.array(TokenInput).min(1).max(audienceListMax).optional(),
    all: z.literal(true).optional(),
  })
  .refine(
    (to) => audienceKeys.filter((key) => to[key] !== undefined).length === 1,
    `must have exactly one of ${audienceKeys.join(', ')}`,
  )
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
    app_id: z.uuid().optional().describe('Only devices of this app; all apps if left out'),
    ttl_seconds: z.int().min(0).max(ttlSecondsMax).default(ttlSecondsDefault),
    priority: z.enum(['high', 'normal']).default('high'),
    collapse_id: cleanText(collapseIdBytesMax)
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
export type NewMessage = z.infer<typeof NewMessage>

/** What the store keeps of a message beside its audience. */
export type MessageContent = Pick<NewMessage, 'content' | 'apns' | 'fcm'>

/** Where a message stands: `accepted` until planned, `sending` until nothing is pending. */
export type MessageState = 'accepted' | 'sending' | 'done'

/** A message to named people or tokens must not wait behind a broadcast. */
export const transactionalAudienceMax = 100
