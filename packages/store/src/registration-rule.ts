import {
  type Attributes,
  type DeviceAttributeChange,
  type Environment,
  type LastStatus,
  type Platform,
  type Provider,
  providerOf,
} from '@pushkeep/domain'
import { type CallerProof, isKnownTo, mayTakeFrom, noProof } from './caller-proof.ts'

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
  /** SHA-256, in hex, of the installation's secret: what the call shows, and what is stored of it. */
  readerHash?: string | null
  /** What the caller has shown beside its key; nothing, if left out. */
  proof?: CallerProof
  /**
   * A token that replaces another takes over its person only for a caller that is known to the other:
   * else a token that others know would tie their phone to its person.
   */
  mustProveTie?: boolean
  /** Unix seconds; null is now. */
  lastUsed: number | null
  /** The client's time in ms since the epoch (R1); null is now, and never late. */
  at: number | null
}

/** A person as a device is tied to them; one without a number is yet to be created. */
export type Tie =
  | { no: number; id: string }
  /** `isVouched`: the caller has shown to speak for them. */
  | { no: null; id: string; workspaceNo: number; isVouched?: boolean }

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
 * newest first; only rows that the caller may take from). Older than any of them, it changes nothing.
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
  const times = timesOf(call, now)
  const device: DeviceState = {
    appNo: call.appNo,
    tokenHash,
    token: call.token,
    ...described(call, own, replaced, named),
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

type Described = Pick<
  DeviceState,
  | 'platform'
  | 'provider'
  | 'environment'
  | 'person'
  | 'installationId'
  | 'readerHash'
  | 'attributes'
  | 'pushPermission'
>

/**
 * What the device is from now on. A caller that is a stranger to the row may move the token to a person
 * whom it names, and add attributes; what could silence the device stays as it is.
 */
function described(
  call: Registration,
  own: DeviceState | null,
  replaced: readonly DeviceState[],
  named: Tie | null,
): Described {
  const heir = replaced[0]
  const isStranger = own !== null && !mayTake(call, own)
  const person = personAfter(call, own, heir, named, isStranger)
  const isMoved = own !== null && isAnother(own.person, person)
  const sources = [own, heir].map((device) => (device ? factsOf(call, device, person) : null))
  const [kept, passed] = sources
  const attributes = merged({ ...passed?.attributes, ...kept?.attributes }, call.change)
  const rest = {
    person,
    readerHash: readerAfter(call, own, replaced, isMoved),
    attributes,
  }
  if (isStranger && !isMoved) {
    const { platform, provider, environment, installationId } = own
    const pushPermission = call.change.pushPermission === false ? own.pushPermission : true
    return { ...rest, platform, provider, environment, installationId, pushPermission }
  }
  return {
    ...rest,
    platform: call.platform,
    provider: providerOf(call.platform, call.token),
    environment: call.environment ?? own?.environment ?? heir?.environment ?? null,
    installationId: call.installationId ?? kept?.installationId ?? passed?.installationId ?? null,
    // Saying nothing counts as allowed.
    pushPermission: call.change.pushPermission ?? true,
  }
}

function proofOf({ proof = noProof, readerHash = null }: Registration) {
  return [proof, readerHash] as const
}

/** Whether a call may retire this device and take over what it is. */
export function mayTake(call: Registration, device: DeviceState): boolean {
  return mayTakeFrom(device, ...proofOf(call))
}

function personAfter(
  call: Registration,
  own: DeviceState | null,
  heir: DeviceState | undefined,
  named: Tie | null,
  isStranger: boolean,
): Tie | null {
  if (named) return named
  if (call.isAnonymous) return isStranger ? (own?.person ?? null) : null
  if (own?.person) return own.person
  if (!heir) return null
  return !call.mustProveTie || isKnownTo(heir, ...proofOf(call)) ? heir.person : null
}

/** The times of a device that is registered now, where no other call was about it. */
export function timesOf({ at, lastUsed }: Registration, now: number) {
  const second = Math.floor(now / 1000)
  return {
    // A clock that runs ahead does not make a device the one used last for years.
    lastUsed: Math.min(lastUsed ?? second, second),
    registeredAt: now,
    orderedAt: Math.min(at ?? now, now),
  }
}

/**
 * What a row keeps, or passes to the token that replaces it. Attributes are what its person's phone said:
 * another person does not get to read them, nor a stranger who unties the token first. The installation
 * is the phone's, and stays until a public key moves the token to another person.
 */
function factsOf(
  call: Registration,
  { person: former, readerHash, attributes, installationId }: DeviceState,
  person: Tie | null,
): Pick<DeviceState, 'attributes' | 'installationId'> {
  const [proof, shown] = proofOf(call)
  if (proof.isSecretKey) return { attributes, installationId }
  if (isAnother(former, person)) return { attributes: {}, installationId: null }
  const isSame = former === null || person !== null
  const isOwn = isSame || isKnownTo({ readerHash, person: former }, proof, shown)
  return { attributes: isOwn ? attributes : {}, installationId }
}

function isAnother(former: Tie | null, person: Tie | null): boolean {
  return former !== null && person !== null && former.id !== person.id
}

/**
 * Whose secret reads the device from now on. A secret that is not proven counts where there is
 * nothing yet to be read, or where it was the secret of all that flows together here. A token that a
 * public key moves to another person starts anew: nothing of the former one is left to be read.
 */
function readerAfter(
  call: Registration,
  own: DeviceState | null,
  replaced: readonly DeviceState[],
  isMoved: boolean,
): string | null {
  const [proof, shown] = proofOf(call)
  const live = [own, ...replaced].filter((device) => device !== null && !device.isDeleted)
  const hashes = new Set(live.map((device) => device?.readerHash ?? null))
  const isProven =
    proof.isSecretKey ||
    (call.personId !== null && proof.personIds.includes(call.personId)) ||
    (live.length > 0 && live.every((device) => device && isKnownTo(device, proof, null)))
  if (shown !== null && (isProven || hashes.size === 0)) return shown
  const [only = null] = hashes
  if (hashes.size !== 1) return null
  return isMoved && !proof.isSecretKey && only !== shown ? null : only
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
