import { AttributesInput, ContentInput, cleanText, UnixSeconds } from '@pushkeep/domain'
import { z } from 'zod'
import { CustomDevice } from './custom-device.ts'
import { CustomPayload } from './custom-payload.ts'
import { Identifiers, IdText } from './identifiers.ts'

const { title, body, image_url, link } = ContentInput.shape

/** Body of `POST /v1/send/push`. `null` says as little as leaving a field out. */
export const SendPush = z.strictObject({
  transactional_message_id: IdText.nullish().describe('Which template; may be left out'),
  identifiers: Identifiers.describe('Whom it is for; unknown people are created'),
  to: z
    .string()
    .nullish()
    .describe('`all` (the default) or `last_used`: which devices; or the token of one'),
  title: title.nullish(),
  message: body.nullish(),
  image_url: image_url.nullish(),
  link: link.nullish(),
  sound: z.enum(['default', 'none'], 'must be default or none').nullish(),
  custom_data: AttributesInput.nullish().describe('Keys for the app'),
  custom_device: CustomDevice.nullish(),
  custom_payload: CustomPayload.nullish(),
  message_data: AttributesInput.nullish().describe('What templates read as `trigger`'),
  send_at: UnixSeconds.nullish().describe('Unix seconds, at most 90 days ahead'),
  language: cleanText(100).nullish().describe('Templates have one language'),
  disable_message_retention: z.boolean().nullish(),
  send_to_unsubscribed: z.boolean().nullish(),
  queue_draft: z.boolean().nullish(),
  auto_create: z.boolean().nullish().describe('Unknown people are created in any case'),
})
export type SendPush = z.infer<typeof SendPush>
