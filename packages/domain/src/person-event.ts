import { z } from 'zod'
import { jsonObject } from './attributes.ts'
import { cleanText, isPlainText, plainText } from './text.ts'
import { ClientTime } from './time.ts'

/** What kinds of things people do: an event of the app's own, a page or screen seen, a group joined. */
export const eventTypes = ['event', 'page', 'screen', 'group'] as const
export type EventType = (typeof eventTypes)[number]

/** Longest name of an event, and most bytes of JSON in its properties. */
export const eventNameBytesMax = 1000
export const eventPropertiesBytesMax = 100_000

/** Longest id that a client gives one of its calls, in bytes. */
export const clientMessageIdBytesMax = 255

export const EventName = cleanText(eventNameBytesMax).transform((name, context) => {
  const trimmed = name.trim()
  if (trimmed === '') context.addIssue({ code: 'custom', message: 'must not be blank' })
  if (!isPlainText(trimmed)) {
    context.addIssue({ code: 'custom', message: 'must have no control characters' })
  }
  return trimmed
})

export const EventProperties = jsonObject({ countMax: 1000, bytesMax: eventPropertiesBytesMax })

/** A client's own id of a call: a repeat under it is ignored. */
export const ClientMessageId = plainText(clientMessageIdBytesMax).describe(
  "The client's own id of this call: a repeat within a week is ignored",
)

/** Body of `POST /v1/people/{id}/events`. */
export const PersonEventInput = z.strictObject({
  name: EventName.describe('What was done, in words of your own'),
  type: z.enum(eventTypes).default('event'),
  id: ClientMessageId.optional(),
  timestamp: ClientTime.optional().describe('When it happened; now if left out'),
  properties: EventProperties.optional().describe('Any JSON'),
})
export type PersonEventInput = z.infer<typeof PersonEventInput>
