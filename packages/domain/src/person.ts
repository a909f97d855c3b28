import { z } from 'zod'
import { AttributesInput } from './attributes.ts'
import { cleanText } from './text.ts'

/** Longest id of a person, in bytes. */
export const personIdBytesMax = 150

/** A person's id: of the caller's choosing. */
export const PersonId = cleanText(personIdBytesMax).describe("The person's id in your system")

/** Body of `PUT /v1/people/{id}`: attributes to merge (R8). */
export const IdentifyInput = z.strictObject({
  attributes: AttributesInput.optional().describe('Keys to set; `null` or `""` removes a key'),
})
export type IdentifyInput = z.infer<typeof IdentifyInput>
