import { z } from 'zod'

/**
 * The newest entry of a log, signed: kept elsewhere, it shows later whether entries up to it were cut off or
 * written anew. Times in ISO 8601, hash and signature in hex and base64, the key as `spki` in base64.
 */
export const AuditHead = z.strictObject({
  /** The workspace's number; 0 is the installation. */
  workspace_no: z.int().min(0),
  entry: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.iso.datetime(),
  signed_at: z.iso.datetime(),
  public_key: z.base64(),
  signature: z.base64(),
})
export type AuditHead = z.infer<typeof AuditHead>
