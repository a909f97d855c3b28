import { ClientTime, cleanText, KnownPersonId, PersonId, tokenLengthMax } from '@pushkeep/domain'
import { z } from 'zod'

/** A token in a path. Whether it fits its platform is known by the body alone. */
const TokenParam = cleanText(tokenLengthMax).describe('The APNs or FCM device token')

export const TokenParams = z.object({ token: TokenParam })
export const PersonParams = z.object({ id: PersonId })
/** Of a person who is only read, changed or deleted. */
export const KnownPersonParams = z.object({ id: KnownPersonId })
export const PersonTokenParams = z.object({ id: KnownPersonId, token: TokenParam })

/** The client's time where only text can be sent. */
const TimeInQuery = z
  .string()
  .transform((text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text))
  .pipe(ClientTime)
  .describe("The client's time: an older call loses (R1)")

const appId = z.uuid().optional().describe('Which app, where several know the token')

export const AppQuery = z.strictObject({ app_id: appId })
export const ChangeQuery = z.strictObject({ app_id: appId, timestamp: TimeInQuery.optional() })

const timestamp = ClientTime.optional().describe("The client's time: an older call loses (R1)")

/** Bodies of calls that say little: they may be left out. */
export const EmptyBody = z.strictObject({}).optional()
export const SuppressBody = z
  .strictObject({
    erase: z
      .boolean()
      .optional()
      .describe('Also erase attributes, devices and events, and ignore calls about them'),
  })
  .optional()
export const DeleteBody = z.strictObject({ timestamp }).optional()
export const ClearIdentifyBody = z
  .strictObject({
    timestamp,
    person_id: KnownPersonId.optional().describe('Untie from this person only'),
  })
  .optional()

/** Most events in one page. */
const eventsPerPageMax = 100

const page = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(eventsPerPageMax, `must be at most ${eventsPerPageMax}`))
    .prefault('50'),
  cursor: z.string().max(200).optional().describe('`next_cursor` of the page before'),
}

export const TimelineQuery = z.strictObject({ app_id: appId, ...page })
export const EventsQuery = z.strictObject(page)
