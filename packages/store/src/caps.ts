/** How many there may be; 0: any number. */
export interface Caps {
  /** Devices of one person whose tokens are on record. */
  personDevices: number
  /** Names of attributes of one person, or of one device. */
  personAttributes: number
  /** Messages of one workspace that wait for their time. */
  scheduledMessages: number
}

/** The caps of a session that says nothing. */
export const usualCaps: Caps = {
  personDevices: 100,
  personAttributes: 1000,
  scheduledMessages: 10_000,
}

const settingNames: Record<keyof Caps, string> = {
  personDevices: 'person_devices',
  personAttributes: 'person_attributes',
  scheduledMessages: 'scheduled_messages',
}

/** Session settings for caps: statements and triggers read them (migration 0100). */
export function capSettings(caps: Partial<Caps>): Record<string, string> {
  const { personDevices, personAttributes, scheduledMessages } = { ...usualCaps, ...caps }
  return {
    [`pushkeep.${settingNames.personDevices}`]: String(personDevices),
    [`pushkeep.${settingNames.personAttributes}`]: String(personAttributes),
    [`pushkeep.${settingNames.scheduledMessages}`]: String(scheduledMessages),
  }
}

/** SQL: a cap, as a subquery that is run once a statement. */
export function capOf(name: keyof Caps): string {
  return `(select session_cap('${settingNames[name]}', ${usualCaps[name]}))`
}

/** A person has as many devices as one may have, and none that could be let go. */
export class TooManyDevicesError extends Error {
  readonly devicesMax: number

  constructor(devicesMax: number) {
    super('the person has too many devices')
    this.name = 'TooManyDevicesError'
    this.devicesMax = devicesMax
  }
}
