import { type Attributes, cioIdOf, type Json } from '@pushkeep/domain'
import type { PersonNames, Profile } from '@pushkeep/store'
import { z } from 'zod'

const Texts = z.record(z.string(), z.string()).describe('All values are text')

export const PersonNamesAnswer = z.object({
  id: z.string(),
  email: z.string().nullable(),
  cio_id: z.string(),
})

/** A person as the App API shows them. */
export const ProfileAnswer = z
  .object({
    id: z.string(),
    identifiers: PersonNamesAnswer,
    attributes: Texts,
    timestamps: z
      .record(z.string(), z.int())
      .describe('When attributes were set (unix seconds), where their client told'),
    unsubscribed: z.boolean(),
    devices: z.array(
      z.object({
        id: z.string().describe('The token'),
        platform: z.enum(['ios', 'android']),
        last_used: z.int().describe('Unix seconds'),
        attributes: Texts.describe('With `push_enabled` and `_last_status`'),
      }),
    ),
  })
  .meta({ id: 'AppApiCustomer' })
export type ProfileAnswer = z.infer<typeof ProfileAnswer>

export function profileAnswer(profile: Profile): ProfileAnswer {
  const identifiers = namesAnswer(profile)
  const { id, cio_id } = identifiers
  return {
    id,
    identifiers,
    attributes: { id, cio_id, ...asTexts(profile.attributes) },
    timestamps: inSeconds(profile.attributeTimes),
    unsubscribed: isUnsubscribed(profile.attributes),
    devices: profile.devices.map((device) => ({
      id: device.token,
      platform: device.platform,
      last_used: device.lastUsed,
      attributes: {
        ...asTexts(device.attributes),
        push_enabled: String(device.pushEnabled),
        _last_status: device.lastStatus,
      },
    })),
  }
}

/** A person's names, as every answer has them. */
export function namesAnswer({ id, email, personNo }: PersonNames) {
  return { id, email, cio_id: cioIdOf(personNo) }
}

/** Customer.io's: true or 1, also in text. */
function isUnsubscribed({ unsubscribed = '' }: Attributes): boolean {
  return ['true', '1'].includes(String(unsubscribed).toLowerCase())
}

function asTexts(attributes: Attributes): Record<string, string> {
  const text = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value))
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, text(value)]))
}

function inSeconds(times: Record<string, number>): Record<string, number> {
  const seconds = Object.entries(times).map(([key, ms]) => [key, Math.floor(ms / 1000)])
  return Object.fromEntries(seconds)
}
