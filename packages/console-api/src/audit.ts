import { z } from 'zod'
import { Free, RoleName, Time } from './shared.ts'

export const AuditEntry = z.object({
  number: z.number(),
  at: Time,
  /** null: the `pushkeep` command, or a caller without a key. A public key has no role. */
  key: z.object({ id: z.string(), name: z.string(), role: RoleName.nullable() }).nullable(),
  /** The IP address that it came from; null: the command, or an older entry. */
  address: z.string().nullable(),
  action: z.string(),
  app_id: z.string().nullable(),
  target: z.object({
    kind: z.enum(['workspace', 'app', 'key', 'message', 'person', 'queue']),
    /** null: a person who was erased. */
    id: z.string().nullable(),
  }),
  detail: Free,
  /** Unchanged, and next to the entry below it. */
  is_intact: z.boolean(),
})
export type AuditEntry = z.infer<typeof AuditEntry>

/** `GET /ops/api/audit?before=` */
export const AuditList = z.object({ entries: z.array(AuditEntry), next: z.number().nullable() })
export type AuditList = z.infer<typeof AuditList>
