import { z } from 'zod'
import { AppName, RoleName, Time } from './shared.ts'

/** `POST /ops/api/session`: a secret key, for a session cookie. */
export const SignIn = z.strictObject({ key: z.string().min(1, 'is required').max(500) })

/** `GET /ops/api/session`: who is signed in, and what goes with each change (`X-XSRF-Token`). */
export const Session = z.object({
  key: z.object({
    id: z.string(),
    name: z.string(),
    role: RoleName,
    /** Of an operator of the installation: sees the queues. */
    is_installation: z.boolean(),
    /** null: it does not end by itself. */
    expires_at: Time.nullable(),
  }),
  workspace: AppName,
  /** The one app that the key is for; null: all. */
  app: AppName.nullable(),
  expires_at: Time,
  csrf_token: z.string(),
})
export type Session = z.infer<typeof Session>
