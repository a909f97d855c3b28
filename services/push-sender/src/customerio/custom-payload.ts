import { ApnsOverride, type Attributes, AttributesInput, FcmOverride } from '@pushkeep/domain'
import { validateItem } from '@pushkeep/runtime'
import { z } from 'zod'

/** What FCM sends to iPhones, as their API writes it. */
const IosOverFcm = z.strictObject({
  message: z.strictObject({
    apns: z.strictObject({ headers: ApnsOverride.shape.headers, payload: AttributesInput }),
  }),
})

/** A payload for iPhones: as FCM has it (`{message: {apns: …}}`), or as APNs has it (`{aps: …}`). */
const IosPayload = AttributesInput.transform((given, context): ApnsOverride => {
  if (!('message' in given)) return { payload: given }
  const read = validateItem(IosOverFcm, given, 'ios')
  if (read.kind === 'valid') return read.value.message.apns
  for (const { path, message } of read.errors) {
    context.addIssue({ code: 'custom', path: path.split('.').slice(1), message })
  }
  return z.NEVER
})

/** A payload for Android: the parts of an FCM message. */
const AndroidPayload = z.strictObject({
  message: FcmOverride.pick({ data: true, notification: true, android: true }),
})

/** `custom_payload`: what stands in it wins over what `title`, `message` and the others make. */
export const CustomPayload = z.strictObject({
  ios: IosPayload.nullish(),
  android: AndroidPayload.nullish(),
})
export type CustomPayload = z.infer<typeof CustomPayload>

/** The parts of a message that a custom payload is laid over it as. */
export function overridesOf({ ios, android }: CustomPayload): {
  apns?: ApnsOverride
  fcm?: FcmOverride
} {
  // Iphones may be reached through Firebase, too.
  const fcm: FcmOverride = { ...android?.message, ...(ios ? { apns: overFcm(ios) } : {}) }
  return {
    ...(ios ? { apns: ios } : {}),
    ...(Object.keys(fcm).length > 0 ? { fcm } : {}),
  }
}

function overFcm({ headers = {}, payload }: ApnsOverride): Attributes {
  const given: Attributes = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) given[name] = value
  return { headers: given, ...(payload ? { payload } : {}) }
}
