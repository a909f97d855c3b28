import { listOf, textListOf } from './array-literal.ts'
import type { DeviceState } from './registration-rule.ts'

/**
 * SQL: what `deviceValues` gives, as the first parameters, a row for each device. Column by column: parsed as
 * records, each of their fields would be looked up by its name, which takes twice as long; unnested where they
 * are selected, since `from` would store each column first.
 */
export const givenDevices = `
  unnest($1::int[]) as app_no, unnest($2::uuid[]) as token_hash, unnest($3::text[]) as token,
  unnest($4::text[]) as platform, unnest($5::text[]) as provider, unnest($6::text[]) as environment,
  unnest($7::text[]) as installation_id, decode(unnest($8::text[]), 'hex') as reader_hash,
  json_array_elements($9)::jsonb as attributes, unnest($10::boolean[]) as push_permission`

/** The parameters of `givenDevices`. */
export function deviceValues(devices: readonly DeviceState[]): string[] {
  return [
    listOf(devices, (device) => device.appNo),
    listOf(devices, (device) => device.tokenHash),
    textListOf(devices, (device) => device.token),
    listOf(devices, (device) => device.platform),
    listOf(devices, (device) => device.provider),
    listOf(devices, (device) => device.environment),
    textListOf(devices, (device) => device.installationId),
    listOf(devices, (device) => device.readerHash),
    JSON.stringify(devices.map((device) => device.attributes)),
    listOf(devices, (device) => device.pushPermission),
  ]
}
