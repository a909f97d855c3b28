import {
  type Identifier,
  identifierBy,
  identifierKeys,
  KnownPersonId,
  PersonId,
} from '@pushkeep/domain'
import { invalid } from '@pushkeep/runtime'
import { z } from 'zod'

/** An id as clients write it: text, or a number that stands for its digits. */
export const IdText = z
  .union([z.string(), z.int()], 'must be text or an integer')
  .transform(String)
  .pipe(PersonId)

const keys = ['id', 'email', 'cio_id'] as const

/** The id of a person who is there already. */
export const KnownIdText = z
  .union([z.string(), z.int()], 'must be text or an integer')
  .transform(String)
  .pipe(KnownPersonId)

/** A person under exactly one of their names. */
export const Identifiers = z
  .strictObject({ id: IdText.nullish(), email: IdText.nullish(), cio_id: IdText.nullish() })
  .refine(
    (given) => keys.filter((key) => given[key] != null).length === 1,
    `must have exactly one of ${keys.join(', ')}`,
  )
export type Identifiers = z.infer<typeof Identifiers>

/** Who is named by `identifiers`. */
export function personIn({ id, email, cio_id: cioId }: Identifiers): Identifier {
  if (id != null) return { by: 'id', id }
  if (email != null) return { by: 'email', email }
  if (cioId != null) return { by: 'cio-id', cioId: bare(cioId) }
  throw new Error('identifiers without a name')
}

/** How `id_type` says to read the id of a path. A phone number is an id. */
export const IdType = z
  .enum(identifierKeys, 'must be one of id, email, phone, cio_id')
  .default('id')

/** Who is named by a part of a path. */
export function personAt(text: string, idType: z.infer<typeof IdType>): Identifier {
  return identifierBy(idType, idType === 'cio_id' ? bare(text) : text)
}

/** Paths of the Track API have `cio_` before it. */
function bare(cioId: string): string {
  return cioId.replace(/^cio_/, '')
}

/** Whoever a `cio_id` names cannot be made of it. */
export function nobody() {
  return invalid([{ path: 'identifiers.cio_id', message: 'is of nobody' }])
}
