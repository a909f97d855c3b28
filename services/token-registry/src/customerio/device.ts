import { type Identifier, PersonDeviceInput } from '@pushkeep/domain'
import { invalid, ProblemError } from '@pushkeep/runtime'
import type { RegisterDeviceAction } from './action.ts'
import { isNothing } from './people.ts'
import { validated } from './refusal.ts'

/** A device as a dialect describes it. */
export interface DescribedDevice {
  token: unknown
  platform: unknown
  lastUsed: unknown
  attributes: unknown
  environment?: unknown
  installationId?: unknown
  installationSecret?: unknown
  /** The client's time. */
  timestamp?: unknown
}

/** Where a dialect has what the native route calls so: for messages about it. */
export type FieldNames = Record<string, string>

/** The action that registers a described device for a person, or for nobody. */
export function registerDevice(
  person: Identifier | null,
  device: DescribedDevice,
  names: FieldNames,
): RegisterDeviceAction {
  const given = {
    id: device.token,
    platform: device.platform,
    last_used: device.lastUsed,
    attributes: device.attributes,
    environment: device.environment,
    installation_id: device.installationId,
    installation_secret: device.installationSecret,
    timestamp: device.timestamp,
  }
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => !isNothing(value)))
  const { id: token, ...input } = inWordsOf(names, () =>
    validated(PersonDeviceInput.shape.device, said, ''),
  )
  return { kind: 'register-device', person, token, input, names }
}

/** Runs a native rule; a field that it refuses is named as the dialect names it. */
export function inWordsOf<T>(names: FieldNames, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ProblemError) || !error.problem.errors) throw error
    const errors = error.problem.errors.map(({ path, message }) => {
      const [first = '', ...rest] = path.split('.').filter((part) => part !== '')
      return { path: [names[first] ?? first, ...rest].join('.'), message }
    })
    throw invalid(errors)
  }
}
