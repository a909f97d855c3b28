import { AllowedAddresses, NameInput } from '@pushkeep/domain'
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
  /** Of an operator of the installation. */
  is_installation: z.boolean(),
  /** null: it does not end by itself. */
  expires_at: Time.nullable(),
  /** Addresses and networks that it may be used from; null: any. */
  allowed_addresses: z.array(z.string()).nullable(),
  /** To the minute; null: never, as far as is known. */
  used_at: Time.nullable(),
  /** When a secret key last came from a browser or an app, where anyone can read it. */
  exposed_at: Time.nullable(),
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
    expires_at: Time.nullish(),
    allowed_addresses: AllowedAddresses.nullish(),
  })
  .refine(({ kind, role }) => (kind === 'secret') === (role !== null), {
    path: ['role'],
    error: 'must be given for a secret key, and for no other',
  })

/** The only time that a key's text is told. */
export const KeyCreated = z.object({ id: z.string(), key: z.string() })
export type KeyCreated = z.infer<typeof KeyCreated>
