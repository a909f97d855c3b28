import { identityModes, NameInput } from '@pushkeep/domain'
import { z } from 'zod'
import { ProviderHealth } from './overview.ts'
import { EnvironmentName, Free, ProviderName, Time } from './shared.ts'

export const CredentialTask = z.object({
  id: z.string(),
  kind: z.enum(['check', 'replace']),
  provider: ProviderName,
  asked_by: z.string(),
  asked_at: Time,
  /** null: not done yet. */
  finished_at: Time.nullable(),
  outcome: z.enum(['works', 'refused', 'unreachable', 'replaced']).nullable(),
  findings: z.array(
    z.object({
      place: z.enum(['production', 'sandbox', 'fcm']),
      answer: z.enum(['works', 'refused', 'unreachable']),
      reason: z.string().nullable(),
    }),
  ),
})
export type CredentialTask = z.infer<typeof CredentialTask>

export const AppProvider = ProviderHealth.extend({
  /** What may be shown: topic, team and key id; project id. */
  settings: Free,
  stored_at: Time,
  last_task: CredentialTask.nullable(),
})
export type AppProvider = z.infer<typeof AppProvider>

export const App = z.object({
  id: z.string(),
  name: z.string(),
  created_at: Time,
  /** Whether public keys need identity tokens; the strictest of the workspace holds for each of its apps. */
  identity_mode: z.enum(identityModes),
  providers: z.array(AppProvider),
})
export type App = z.infer<typeof App>

/** `GET /ops/api/apps` */
export const AppList = z.object({ apps: z.array(App) })
export type AppList = z.infer<typeof AppList>

/**
 * `POST /ops/api/apps`. `identity_mode` is `required` if left out; 422 where it is left out and the
 * workspace has apps that are less strict, since the strictest mode holds for all of them.
 */
export const NewApp = z.strictObject({
  name: NameInput,
  identity_mode: z.enum(identityModes).optional(),
})

/** `POST /ops/api/apps/{app}/providers/{provider}/bounces` */
export const BounceDecision = z.strictObject({ decision: z.enum(['keep', 'undo']) })
export const BouncesDecided = z.object({ restored: z.number() })
export type BouncesDecided = z.infer<typeof BouncesDecided>

/** `POST /ops/api/apps/{app}/providers/{provider}/resume` */
export const Resume = z.strictObject({ bounces: z.enum(['keep', 'undo']) })
export const Resumed = z.object({
  resumed: z.boolean(),
  /** Why it goes on or stays paused, in a sentence. */
  said: z.string(),
  tried: z.array(
    z.object({
      message_id: z.string(),
      device: z.number(),
      accepted: z.boolean(),
      reason: z.string().nullable(),
    }),
  ),
  restored: z.number(),
})
export type Resumed = z.infer<typeof Resumed>

const replacement = {
  expires_at: Time.nullable(),
  /** Store it also where the provider cannot be asked. */
  is_forced: z.boolean(),
}

/** `PUT /ops/api/apps/{app}/providers/apns/credentials` */
export const ApnsReplacement = z.strictObject({
  team_id: z.string().max(100),
  key_id: z.string().max(100),
  topic: z.string().max(300),
  /** Where the key is bound to one. */
  environment: EnvironmentName.nullable(),
  private_key: z.string().min(1, 'is required').max(10_000),
  ...replacement,
})

/** `PUT /ops/api/apps/{app}/providers/fcm/credentials` */
export const FcmReplacement = z.strictObject({
  /** The JSON file that Google issued, as it is. */
  service_account: z.string().min(1, 'is required').max(20_000),
  ...replacement,
})
export const TaskAsked = z.object({ task_id: z.string() })
