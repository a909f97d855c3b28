import { z } from 'zod'
import { type Attributes, AttributesInput, attributeChange } from './attributes.ts'
import { PersonId } from './person.ts'
import type { Platform } from './platform.ts'
import { cleanText, isCleanText, plainText } from './text.ts'
import { ClientTime, UnixSeconds } from './time.ts'
import { tokenLengthMax, tokenProblem } from './token.ts'

/** Device attributes that keep their names and read back as strings (R8). */
export const reservedAttributes = [
  'device_os',
  'device_model',
  'app_version',
  'cio_sdk_version',
  'device_locale',
] as const

const PlatformInput = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['ios', 'android'], 'must be ios or android'))
  .meta({
    description: '`ios` or `android`, in any letter case',
    pattern: '^([iI][oO][sS]|[aA][nN][dD][rR][oO][iI][dD])$',
  })

/** A device token; what it must look like depends on the platform. */
export const TokenInput = z
  .string()
  .min(1, 'must not be empty')
  .max(tokenLengthMax, `must be at most ${tokenLengthMax} characters`)
  .refine(isCleanText, 'must be valid Unicode without NUL')
  .describe('The APNs or FCM device token')

const registration = {
  platform: PlatformInput,
  last_used: UnixSeconds.optional().describe('Unix seconds; the time of the request if left out'),
  attributes: AttributesInput.optional(),
  app_id: z.uuid().optional().describe('Which app; may be left out where the workspace has one'),
  environment: z
    .enum(['production', 'sandbox'])
    .optional()
    .describe('APNs environment of the build; found out by sending where left out'),
  installation_id: plainText(200)
    .optional()
    .describe('One installation of the app: a new token with the same id retires the old one'),
  installation_secret: cleanText(200)
    .min(32, 'must be at least 32 characters')
    .optional()
    .describe(
      'Random text that the installation keeps: with it, it reads its own device back. Counts for a token that is new, or from a caller who is known',
    ),
  previous_token: TokenInput.optional().describe('The token that this one replaces'),
  timestamp: ClientTime.optional().describe("The client's time: an older call loses (R1)"),
}

/** Body of `PUT /v1/devices/{token}`. `person_id` ties the device; without it the tie stays. */
export const RegisterDeviceInput = z.strictObject({
  ...registration,
  person_id: PersonId.optional(),
})

/** Body of `PUT /v1/people/{id}/devices`. */
export const PersonDeviceInput = z.strictObject({
  device: z.strictObject({ id: TokenInput, ...registration }),
})

export type RegisterDeviceInput = z.infer<typeof RegisterDeviceInput>
export type PersonDeviceInput = z.infer<typeof PersonDeviceInput>

/** A field that is wrong, with its path inside the request. */
export interface FieldProblem {
  path: string
  message: string
}

/** What is wrong with a token in a body or path; empty where nothing is. */
export function tokenProblems(path: string, platform: Platform, token: string): FieldProblem[] {
  const message = tokenProblem(platform, token)
  return message ? [{ path, message }] : []
}

/** A device's attributes as sent, sorted into what the store keeps. */
export interface DeviceAttributeChange {
  set: Attributes
  remove: string[]
  /** The permission as the client reports it; null where it says nothing. */
  pushPermission: boolean | null
}

/**
 * R8 for devices: reserved attributes become strings, whatever type was sent; `push_enabled` is the
 * client's permission; `_last_status` is ours and what a client sends of it is left aside.
 */
export function deviceAttributeChange(
  sent: Attributes,
): { kind: 'change'; change: DeviceAttributeChange } | { kind: 'problem'; problem: FieldProblem } {
  const { _last_status: _, push_enabled: permission, ...rest } = sent
  const pushPermission = parsePermission(permission)
  if (pushPermission === 'invalid') {
    return {
      kind: 'problem',
      problem: { path: 'attributes.push_enabled', message: 'must be "true" or "false"' },
    }
  }
  const { set, remove } = attributeChange(rest)
  for (const key of reservedAttributes) {
    const value = set[key]
    if (value === undefined) continue
    if (typeof value === 'object') {
      return { kind: 'problem', problem: { path: `attributes.${key}`, message: 'must be text' } }
    }
    set[key] = String(value)
  }
  return { kind: 'change', change: { set, remove, pushPermission } }
}

/** Removing the key says nothing about the permission, so that it counts as given again. */
function parsePermission(value: unknown): boolean | null | 'invalid' {
  if (value === undefined) return null
  if (value === null || value === '') return true
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return 'invalid'
  const text = value.toLowerCase()
  return text === 'true' ? true : text === 'false' ? false : 'invalid'
}
