import { z } from 'zod'
import { AttributesInput } from './attributes.ts'
import { cleanText, plainText } from './text.ts'

/** Longest id of a person, in bytes. */
export const personIdBytesMax = 150

const idMeaning = "The person's id in your system"

/** A person's id, of the caller's choosing, where a call may create the person. */
export const PersonId = plainText(personIdBytesMax)
  // Clients and proxies take these out of a path before it is sent: such a person could not be named again.
  .refine((id) => id !== '.' && id !== '..', 'must not be . or ..')
  .describe(idMeaning)

/** The id of a person who is there already: those that are stored may have control characters. */
export const KnownPersonId = cleanText(personIdBytesMax).describe(idMeaning)

/** Body of `PUT /v1/people/{id}`: attributes to merge (R8). */
export const IdentifyInput = z.strictObject({
  attributes: AttributesInput.optional().describe('Keys to set; `null` or `""` removes a key'),
})
export type IdentifyInput = z.infer<typeof IdentifyInput>
