/**
 * The life of tokens as the design tells it (R1–R7, the table of `_last_status` and `push_enabled`),
 * in memory. Nothing here is taken from the store or the domain. Times are ms; `now` lies between two
 * ticks of the clients' clock, so that whatever a client says is before it or after it.
 */

import {
  type Answer,
  type Call,
  type Delivery,
  type Device,
  type Life,
  nameOf,
  type Owner,
  type Registration,
  type Send,
} from './life.ts'

const isOf = ({ owner }: Device, person: string) => owner !== null && nameOf(owner) === person
const isLate = (device: Device | undefined, at: number | null) =>
  (device?.orderedAt ?? 0) > (at ?? Infinity)
const newest = (device: Device | undefined, at: number | null, now: number) =>
  Math.max(device?.orderedAt ?? 0, Math.min(at ?? now, now))

/** Whoever is named becomes known. */
function meet(life: Life, person: string): Owner {
  const known = life.people.get(person) ?? { life: 1, isSuppressed: false }
  life.people.set(person, { ...known, isKnown: true })
  return `${person}${known.life}`
}

function bury(device: Device, orderedAt: number): void {
  Object.assign(device, { owner: null, installation: null, isGone: true })
  device.orderedAt = Math.max(device.orderedAt, orderedAt)
}

/** R1: takes the token, retires what it replaces and inherits its tie; older than any of them it loses. */
export function register(life: Life, call: Registration, now: number): void {
  const { token, person, isAnonymous, installation, previous, at } = call
  const own = life.devices.get(token)
  const others = [...life.devices].filter(([name, { isGone }]) => name !== token && !isGone)
  const replaced = [
    ...others.filter(([name]) => name === previous),
    ...others.filter(([, device]) => installation !== null && device.installation === installation),
  ].map(([, device]) => device)
  if ([own, ...replaced].some((device) => isLate(device, at))) return
  const heir = replaced.toSorted((one, other) => other.orderedAt - one.orderedAt)[0]
  const owner = person
    ? meet(life, person)
    : isAnonymous
      ? null
      : (own?.owner ?? heir?.owner ?? null)
  // A public key that moves a token to another person leaves the former one's installation behind.
  const left = (device: Device | undefined) =>
    device?.owner && owner && device.owner !== owner ? null : device?.installation
  life.devices.set(token, {
    owner,
    installation: installation ?? left(own) ?? left(heir) ?? null,
    isGone: false,
    allows: call.allows,
    isDead: false,
    orderedAt: newest(own, at, now),
    registration: (own?.registration ?? 0) + 1,
    registeredAt: now,
    lastStatus: '',
    statusAt: 0,
    failures: 0,
  })
  for (const device of replaced) bury(device, newest(own, at, now))
}

/** R1: a logout that arrives late, or is about another person, does not untie the next one. */
export function clearIdentify(life: Life, { token, person, at }: Call, now: number): void {
  const device = life.devices.get(token)
  if (!device || isLate(device, at)) return
  if (person !== null && device.owner !== null && !isOf(device, person)) return
  Object.assign(device, { owner: null, orderedAt: newest(device, at, now) })
}

/**
 * R1: of another person's device only the order takes note, and only of a call that tells its time; a
 * token of which nobody has heard is remembered as gone.
 */
export function deleteDevice(life: Life, { token, person, at }: Call, now: number): void {
  const device = life.devices.get(token)
  if (!device && at !== null) life.devices.set(token, neverSeen(Math.min(at, now)))
  if (!device || isLate(device, at)) return
  const isMeant = person === null || isOf(device, person)
  if (isMeant && !device.isGone) bury(device, newest(device, at, now))
  else if (device.isGone || at !== null) device.orderedAt = newest(device, at, now)
}

function neverSeen(orderedAt: number): Device {
  return {
    ...{ owner: null, installation: null, isGone: true, allows: true, isDead: false },
    ...{ orderedAt, registration: 1, registeredAt: orderedAt },
    ...{ lastStatus: '', statusAt: 0, failures: 0 },
  }
}

export function deletePerson(life: Life, person: string, now: number): void {
  const known = life.people.get(person)
  if (!known?.isKnown) return
  for (const device of life.devices.values()) if (isOf(device, person)) bury(device, now)
  life.people.set(person, { life: known.life + 1, isKnown: false, isSuppressed: false })
}

export function suppress(life: Life, person: string, isSuppressed: boolean): void {
  if (isSuppressed) meet(life, person)
  const known = life.people.get(person)
  if (known?.isKnown) known.isSuppressed = isSuppressed
}

/** Plans a message for whoever has the devices now; `to` null is everyone. */
export function send(life: Life, message: string, to: string | null): void {
  const deliveries = new Map<string, Delivery>()
  for (const [token, device] of life.devices) {
    if (device.isGone || (to !== null && !isOf(device, to))) continue
    deliveries.set(token, { plannedFor: device.owner, status: 'pending', isUnknown: false })
  }
  life.messages.set(message, deliveries)
}

/** What stands against sending: R6 first, since the device is not that person's any more, then R7. */
export function standsAgainst(life: Life, device: Device, { plannedFor }: Delivery): string[] {
  if (device.isGone) return ['deleted']
  if (plannedFor !== null && device.owner !== plannedFor) return ['reassigned']
  const reasons = {
    person_suppressed: life.people.get(nameOf(device.owner ?? ''))?.isSuppressed === true,
    token_dead: device.isDead,
    push_disabled: !device.allows,
    wrong_app: device.failures >= 3,
  }
  return Object.entries(reasons).flatMap(([reason, holds]) => (holds ? reason : []))
}

const statusOf = {
  ...{ accepted: 'sent', dead: 'bounced', ambiguous: 'failed', refused: 'failed' },
  ...{ 'given up': 'failed', withheld: 'suppressed', busy: 'pending' },
} as const

/** R4, R5: a settled delivery stays as it is. R2, R3: its device takes note, unless it knows better. */
export function record(life: Life, send: Send, answer: Answer, seenAt: number): void {
  const delivery = life.messages.get(send.message)?.get(send.token)
  const device = life.devices.get(send.token)
  if (!device || delivery?.status !== 'pending') return
  const isFailed = answer.kind === 'dead' && !isProven(send, answer.since)
  const status = isFailed ? 'failed' : statusOf[answer.kind]
  Object.assign(delivery, { status, isUnknown: false })
  if (device.isGone || device.registration !== send.registration || seenAt < device.statusAt) return
  const effect = effectOf(life, send, device, answer)
  if (effect) Object.assign(device, effect, { statusAt: seenAt })
}

/** The table of `_last_status` and `push_enabled`; null leaves both as they are. */
function effectOf(life: Life, send: Send, device: Device, answer: Answer): Partial<Device> | null {
  switch (answer.kind) {
    case 'accepted':
      return { lastStatus: 'sent', failures: 0 }
    case 'dead':
      return isProven(send, answer.since) ? { lastStatus: 'bounced', isDead: true } : null
    case 'ambiguous':
      return { failures: doubted(device, life.acceptedAt) }
    case 'withheld':
      return /reassigned|deleted/.test(answer.reason) ? null : { lastStatus: 'suppressed' }
    default:
      return null
  }
}

/** R2: a notice of death is about the registration that was before it. */
const isProven = ({ registeredAt }: Send, since: number | null) =>
  (since ?? Infinity) > registeredAt

/** While nothing is accepted, the credentials may be at fault. */
function doubted({ failures, statusAt }: Device, acceptedAt: number): number {
  if (failures === 0) return 1
  return acceptedAt > statusAt ? Math.min(failures + 1, 3) : failures
}
