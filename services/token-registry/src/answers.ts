import type { Device, OwnedDevice, Person } from '@pushkeep/store'
import { z } from 'zod'

const Attributes = z.record(z.string(), z.unknown())

/** A device as a secret key reads it: its facts and attributes. */
export const DeviceAnswer = z
  .strictObject({
    id: z.string().describe('The token'),
    platform: z.enum(['ios', 'android']),
    last_used: z.int().describe('Unix seconds'),
    app_id: z.uuid(),
    person_id: z.string().nullable(),
    environment: z.enum(['production', 'sandbox']).nullable(),
    installation_id: z.string().nullable(),
    registered_at: z.iso.datetime(),
    attributes: Attributes.describe(
      '`_last_status` (`""`, `sent`, `bounced`, `suppressed`), `push_enabled` (`"true"`, `"false"`) and whatever was sent',
    ),
  })
  .meta({ id: 'Device' })
export type DeviceAnswer = z.infer<typeof DeviceAnswer>

/** What became of a registration or change of a device. */
export const ChangedDeviceAnswer = z
  .strictObject({
    ...DeviceAnswer.shape,
    applied: z.boolean().describe('false: a newer call had been there; this is what it left'),
  })
  .meta({ id: 'ChangedDevice' })

/** The device that a newer call deleted or replaced. */
export const GoneDeviceAnswer = z
  .strictObject({ id: z.string(), applied: z.literal(false) })
  .meta({ id: 'GoneDevice' })

/** All that a public key is told. */
export const EmptyAnswer = z.strictObject({}).describe('To a public key')

/** A person as a secret key reads it. */
export const PersonAnswer = z
  .strictObject({
    id: z.string(),
    attributes: Attributes,
    suppressed: z.boolean(),
    blocked: z.boolean().describe('Erased when suppressed: calls about them are ignored'),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Person' })
export type PersonAnswer = z.infer<typeof PersonAnswer>

/** A person together with their devices. */
export const PersonWithDevicesAnswer = z
  .strictObject({
    ...PersonAnswer.shape,
    devices: z.array(DeviceAnswer).describe('At most 100, the one used last first'),
  })
  .meta({ id: 'PersonWithDevices' })

export function personAnswer(person: Person): PersonAnswer {
  return {
    id: person.id,
    attributes: person.attributes,
    suppressed: person.suppressed,
    blocked: person.blocked,
    created_at: person.createdAt.toISOString(),
    updated_at: person.updatedAt.toISOString(),
  }
}

export function deviceAnswer(token: string, device: Device, appId: string): DeviceAnswer {
  return {
    id: token,
    platform: device.platform,
    last_used: device.lastUsed,
    app_id: appId,
    person_id: device.personId,
    environment: device.environment,
    installation_id: device.installationId,
    registered_at: device.registeredAt.toISOString(),
    attributes: {
      ...device.attributes,
      _last_status: device.lastStatus,
      push_enabled: String(device.pushEnabled),
    },
  }
}

export function personWithDevicesAnswer(
  person: Person,
  devices: readonly OwnedDevice[],
): z.infer<typeof PersonWithDevicesAnswer> {
  return {
    ...personAnswer(person),
    devices: devices.map((device) => deviceAnswer(device.token, device, device.appId)),
  }
}
