import { NameInput } from '@pushkeep/domain'
import { z } from 'zod'
import { RoleName, Time } from './shared.ts'

export const Key = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['secret', 'public']),
  role: RoleName.nullable(),
  /** null: every app. */
  app_id: z.string().nullable(),
  created_at: Time,
  revoked_at: Time.nullable(),
})
export type Key = z.infer<typeof Key>

/** `GET /ops/api/keys` */
export const KeyList = z.object({ keys: z.array(Key) })
export type KeyList = z.infer<typeof KeyList>

/** `POST /ops/api/keys` */
export const NewKey = z
  .strictObject({
    name: NameInput,
    kind: z.enum(['secret', 'public']),
    role: RoleName.nullable(),
    app_id: z.string().nullable(),
  })
  .refine(({ kind, role }) => (kind === 'secret') === (role !== null), {
    path: ['role'],
    error: 'must be given for a secret key, and for no other',
  })

/** The only time that a key's text is told. */
export const KeyCreated = z.object({ id: z.string(), key: z.string() })
export type KeyCreated = z.infer<typeof KeyCreated>
