import {
  type Attributes,
  type DeviceAttributeChange,
  type Environment,
  type LastStatus,
  type Platform,
  type Provider,
  providerOf,
} from '@pushkeep/domain'

/** One registration of a token, from whichever route it came. */
export interface Registration {
  workspaceNo: number
  appNo: number
  token: string
  platform: Platform
  environment: Environment | null
  /** Ties the device to this person, who is created where there is none; null leaves the tie. */
  personId: string | null
  /** The client says that nobody is identified: with no person, the device is untied. */
  isAnonymous?: boolean
  installationId: string | null
  /** The token that this one replaces. */
  previousToken: string | null
  change: DeviceAttributeChange
  /** SHA-256, in hex, of the secret by which an installation reads its device. */
  readerHash?: string | null
  /** The caller is known to speak for the device, so that its secret replaces another one. */
  maySetReader?: boolean
  /**
   * A token that replaces another takes over its person for who knows the other's secret alone: else
   * a token known to others would tie their phone to its person.
   */
  mustProveTie?: boolean
  /** Unix seconds; null is now. */
  lastUsed: number | null
  /** The client's time in ms since the epoch (R1); null is now, and never late. */
  at: number | null
}

/** A person as a device is tied to them; one without a number is yet to be created. */
export type Tie = { no: number; id: string } | { no: null; id: string; workspaceNo: number }

/** A device's row, as far as registering looks at it. Times in ms since the epoch. */
export interface DeviceState {
  appNo: number
  tokenHash: string
  token: string | null
  platform: Platform
  provider: Provider
  environment: Environment | null
  person: Tie | null
  installationId: string | null
  readerHash: string | null
  attributes: Attributes
  pushPermission: boolean
  lastUsed: number
  epoch: number
  registeredAt: number
  orderedAt: number
  lastStatus: LastStatus
  isFailing: boolean
  isDead: boolean
  isDeleted: boolean
}

/** An entry of a token's timeline. */
export interface NewEvent {
  kind:
    | 'registered'
    | 're_registered'
    | 'identified'
    | 'moved'
    | 'push_enabled'
    | 'push_disabled'
    | 'replaced'
    | 'untied'
    | 'deleted'
  person: Tie | null
  /** Of a move: whom the token left. */
  from: Tie | null
}

export type Decision =
  | { kind: 'late' }
  | { kind: 'applied'; device: DeviceState; events: NewEvent[] }

/**
 * R1 for a registration: what it makes of the token's row (`own`) and what it takes over from the
 * rows that it replaces (`replaced`: the token before, or another one of the same installation, the
 * newest first). Older than any of them, it changes nothing.
 */
export function decideRegistration(
  call: Registration,
  tokenHash: string,
  own: DeviceState | null,
  replaced: readonly DeviceState[],
  named: Tie | null,
  now: number,
): Decision {
  const { at } = call
  if (at !== null && [own, ...replaced].some((device) => device && device.orderedAt > at)) {
    return { kind: 'late' }
  }
  const heir = replaced[0]
  const times = timesOf(call, now)
  const device: DeviceState = {
    appNo: call.appNo,
    tokenHash,
    token: call.token,
    platform: call.platform,
    provider: providerOf(call.platform, call.token),
    environment: call.environment ?? own?.environment ?? heir?.environment ?? null,
    person: named ?? (call.isAnonymous ? null : (own?.person ?? inheritedPerson(call, heir))),
    installationId: call.installationId ?? own?.installationId ?? heir?.installationId ?? null,
    readerHash: readerHashOf(call, [own, ...replaced]),
    attributes: merged({ ...heir?.attributes, ...own?.attributes }, call.change),
    // Saying nothing counts as allowed.
    pushPermission: call.change.pushPermission ?? true,
    epoch: (own?.epoch ?? 0) + 1,
    ...times,
    orderedAt: Math.max(own?.orderedAt ?? 0, times.orderedAt),
    lastStatus: '',
    isFailing: false,
    isDead: false,
    isDeleted: false,
  }
  return { kind: 'applied', device, events: eventsOf(own, device) }
}

/** The times of a device that is registered now, where no other call was about it. */
export function timesOf({ at, lastUsed }: Registration, now: number) {
  return {
    lastUsed: lastUsed ?? Math.floor(now / 1000),
    registeredAt: now,
    orderedAt: Math.min(at ?? now, now),
  }
}

function inheritedPerson(call: Registration, heir: DeviceState | undefined): Tie | null {
  if (!heir) return null
  const isSameInstallation = heir.readerHash !== null && call.readerHash === heir.readerHash
  return !call.mustProveTie || isSameInstallation ? heir.person : null
}

/**
 * Whose secret reads the device from now on. A secret that is not proven counts where there is
 * nothing yet to be read, or where it was the secret of all that flows together here.
 */
function readerHashOf(
  { readerHash = null, maySetReader = false }: Registration,
  sources: readonly (DeviceState | null)[],
): string | null {
  const hashes = new Set(
    sources.flatMap((device) => (device && !device.isDeleted ? [device.readerHash] : [])),
  )
  if (readerHash !== null && (maySetReader || hashes.size === 0)) return readerHash
  const [only = null] = hashes
  return hashes.size === 1 ? only : null
}

function merged(present: Attributes, { set, remove }: DeviceAttributeChange): Attributes {
  const attributes = { ...present, ...set }
  for (const key of remove) delete attributes[key]
  return attributes
}

function eventsOf(before: DeviceState | null, after: DeviceState): NewEvent[] {
  const { person } = after
  const event = (kind: NewEvent['kind'], from: Tie | null = null) => ({ kind, person, from })
  if (!before) return [event('registered')]
  if (before.isDeleted) return [event('re_registered')]
  const events: NewEvent[] = []
  if (before.isDead || before.isFailing) events.push(event('re_registered'))
  if (person && !before.person) events.push(event('identified'))
  if (!person && before.person) events.push({ ...event('untied'), person: before.person })
  if (person && before.person && person.id !== before.person.id) {
    events.push(event('moved', before.person))
  }
  if (before.pushPermission !== after.pushPermission) {
    events.push(event(after.pushPermission ? 'push_enabled' : 'push_disabled'))
  }
  return events
}

/** What remains of a device that another token replaced at a time: a tombstone (R1). */
export function replacedDevice(device: DeviceState, at: number): DeviceState {
  return {
    ...device,
    token: null,
    person: null,
    installationId: null,
    readerHash: null,
    attributes: {},
    epoch: device.epoch + 1,
    orderedAt: Math.max(device.orderedAt, at),
    isDeleted: true,
  }
}
