import { type Caps, usualCaps } from '@pushkeep/store'
import { integer } from '../config.ts'
import { ProblemError } from '../problem.ts'

/** Caps on what one person has, as variables of the environment (docs/configuration.md). */
export const personCapConfig = {
  CAP_PERSON_DEVICES: integer({ min: 1, max: 10_000 }).prefault(String(usualCaps.personDevices)),
  CAP_PERSON_ATTRIBUTES: integer({ min: 300, max: 10_000 }).prefault(
    String(usualCaps.personAttributes),
  ),
}

/** The cap on what one workspace schedules, as a variable of the environment. */
export const scheduleCapConfig = {
  CAP_SCHEDULED_MESSAGES: integer({ min: 1, max: 1_000_000 }).prefault(
    String(usualCaps.scheduledMessages),
  ),
}

interface CapVariables {
  CAP_PERSON_DEVICES: number
  CAP_PERSON_ATTRIBUTES: number
  CAP_SCHEDULED_MESSAGES?: number
}

/** The caps that a configuration names. */
export function capsOf(config: CapVariables): Partial<Caps> {
  const { CAP_SCHEDULED_MESSAGES: scheduledMessages } = config
  return {
    personDevices: config.CAP_PERSON_DEVICES,
    personAttributes: config.CAP_PERSON_ATTRIBUTES,
    ...(scheduledMessages === undefined ? {} : { scheduledMessages }),
  }
}

/** 422: a person has as many devices as one may have. `path`: the field that names the person. */
export function tooManyDevices(path: string, devicesMax?: number): ProblemError {
  const most = devicesMax === undefined ? 'as many devices' : `${devicesMax} devices, as many`
  const message = `has ${most} as one person may have, and all are in use: delete one first`
  return new ProblemError(422, 'too_many_devices', {
    detail: `${path} ${message}`,
    errors: [{ path, message }],
  })
}
