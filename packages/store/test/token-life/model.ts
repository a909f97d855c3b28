/**
 * The life of tokens as the design tells it (R1–R7, the table of `_last_status` and `push_enabled`),
 * in memory. Nothing here is taken from the store or the domain. Times are milliseconds; `now` lies
 * between two ticks of the clients' clock, so that what a client says is before it or after it.
 */

/** A person, once deleted, comes back as somebody new: `A1` is the first life of `A`, `A2` the next. */
export type Owner = string

export interface Device {
  owner: Owner | null
  installation: string | null
  /** Deleted or replaced: what remains of it knows latecomers. */
  isGone: boolean
  /** The permission, as the client reports it. */
  allows: boolean
  isDead: boolean
  orderedAt: number
  registration: number
  registeredAt: number
  lastStatus: '' | 'sent' | 'bounced' | 'suppressed'
  statusAt: number
  /** Failures in a row that prove nothing. */
  failures: number
}

export interface Delivery {
  plannedFor: Owner | null
  status: 'pending' | 'sent' | 'bounced' | 'suppressed' | 'failed'
  /** Somebody claimed it, and what became of that is unknown. */
  isUnknown: boolean
}

/** A send, with the registration that it is about. */
export interface Send {
  message: string
  token: string
  registration: number
  registeredAt: number
}

export interface Life {
  people: Map<string, { life: number; isKnown: boolean; isSuppressed: boolean }>
  devices: Map<string, Device>
  messages: Map<string, Map<string, Delivery>>
  sends: Map<number, Send>
}

/** What a provider said, or why it was not asked. `busy`: comes back later. */
export type Answer =
  | { kind: 'accepted' | 'failing' | 'refused' | 'busy' | 'given up' }
  | { kind: 'dead'; since: number | null }
  | { kind: 'withheld'; reason: string }

/** A call about one token; `at` is the client's time, null is now. */
export interface Call {
  token: string
  person: string | null
  at: number | null
}

export const nameOf = (owner: Owner): string => owner.slice(0, 1)
const isOwn = (device: Device, person: string): boolean =>
  device.owner !== null && nameOf(device.owner) === person
const isLate = (device: Device | undefined, at: number | null): boolean =>
  device !== undefined && at !== null && at < device.orderedAt
const order = (device: Device | undefined, at: number | null, now: number): number =>
  Math.max(device?.orderedAt ?? 0, Math.min(at ?? now, now))

/** Whoever is named becomes known. */
export function meet(life: Life, person: string): Owner {
  const known = life.people.get(person) ?? { life: 1, isKnown: true, isSuppressed: false }
  life.people.set(person, { ...known, isKnown: true })
  return `${person}${known.life}`
}

function bury(device: Device, orderedAt: number): void {
  const buried = { owner: null, installation: null, isGone: true }
  Object.assign(device, buried, { orderedAt: Math.max(device.orderedAt, orderedAt) })
}

type Registration = Call & { installation: string | null; previous: string | null; allows: boolean }

/** R1: takes the token, retires what it replaces and inherits its tie; older than any of them, it loses. */
export function register(life: Life, call: Registration, now: number): void {
  const own = life.devices.get(call.token)
  const replaced = [...life.devices]
    .filter(([token, { isGone }]) => token !== call.token && !isGone)
    .filter(([token, { installation }]) => {
      return token === call.previous || (installation && installation === call.installation)
    })
    .sort(([one], [other]) => Number(other === call.previous) - Number(one === call.previous))
    .map(([, device]) => device)
    .sort((one, other) => other.orderedAt - one.orderedAt)
  if ([own, ...replaced].some((device) => isLate(device, call.at))) return
  const heir = replaced[0]
  const device: Device = {
    owner: call.person ? meet(life, call.person) : (own?.owner ?? heir?.owner ?? null),
    installation: call.installation ?? own?.installation ?? heir?.installation ?? null,
    ...{ isGone: false, isDead: false, allows: call.allows },
    orderedAt: order(own, call.at, now),
    ...{ registration: (own?.registration ?? 0) + 1, registeredAt: now },
    ...{ lastStatus: '', statusAt: 0, failures: 0 },
  }
  for (const other of replaced) bury(other, device.orderedAt)
  life.devices.set(call.token, device)
}

/** R1: a logout that arrives late, or names another person, does not untie the next one. */
export function clearIdentify(life: Life, { token, person, at }: Call, now: number): void {
  const device = life.devices.get(token)
  if (!device || isLate(device, at)) return
  if (person !== null && device.owner !== null && !isOwn(device, person)) return
  device.owner = null
  device.orderedAt = order(device, at, now)
}

export function deleteDevice(life: Life, { token, person, at }: Call, now: number): void {
  const device = life.devices.get(token)
  if (!device || isLate(device, at) || (person !== null && !isOwn(device, person))) return
  bury(device, order(device, at, now))
}

export function deletePerson(life: Life, person: string, now: number): void {
  const known = life.people.get(person)
  if (!known?.isKnown) return
  for (const device of life.devices.values()) if (isOwn(device, person)) bury(device, now)
  life.people.set(person, { life: known.life + 1, isKnown: false, isSuppressed: false })
}

export function suppress(life: Life, person: string, isSuppressed: boolean): void {
  if (isSuppressed) meet(life, person)
  const known = life.people.get(person)
  if (known?.isKnown) known.isSuppressed = isSuppressed
}

/** Plans a message for whoever has the devices now; `to` null is everyone. */
export function send(life: Life, message: string, to: string | null): void {
  const planned = [...life.devices]
    .filter(([, device]) => !device.isGone && (to === null || isOwn(device, to)))
    .map(([token, { owner }]) => {
      return [token, { plannedFor: owner, status: 'pending', isUnknown: false }] as const
    })
  life.messages.set(message, new Map(planned))
}

/** What stands against sending: R6 first, since it is not that person's any more, then R7. */
export function withheld(life: Life, device: Device, { plannedFor }: Delivery): string[] {
  if (device.isGone) return ['deleted']
  if (plannedFor !== null && device.owner !== plannedFor) return ['reassigned']
  const isSuppressed = device.owner !== null && life.people.get(nameOf(device.owner))?.isSuppressed
  return [
    ...(isSuppressed ? ['person_suppressed'] : []),
    ...(device.isDead ? ['token_dead'] : []),
    ...(device.allows ? [] : ['push_disabled']),
    ...(device.failures >= 2 ? ['failing'] : []),
  ]
}

const statusOf = { accepted: 'sent', dead: 'bounced', failing: 'bounced' } as const
const otherStatusOf = {
  refused: 'failed',
  'given up': 'failed',
  withheld: 'suppressed',
  busy: 'pending',
} as const

/** R4, R5: a settled delivery stays as it is. R2, R3: what it says of the device binds the registration. */
export function record(life: Life, send: Send, answer: Answer, seenAt: number): void {
  const delivery = life.messages.get(send.message)?.get(send.token)
  const device = life.devices.get(send.token)
  if (!delivery || !device || delivery.status !== 'pending') return
  delivery.status = { ...statusOf, ...otherStatusOf }[answer.kind]
  delivery.isUnknown = false
  const effect = effectOf(send, device, answer)
  if (device.isGone || device.registration !== send.registration || seenAt < device.statusAt) return
  if (effect) Object.assign(device, effect, { statusAt: seenAt })
}

/** The table of `_last_status` and `push_enabled`. */
function effectOf(send: Send, device: Device, answer: Answer): Partial<Device> | null {
  const isProof = answer.kind === 'dead' && !(answer.since && answer.since <= send.registeredAt)
  if (isProof) return { lastStatus: 'bounced', isDead: true }
  switch (answer.kind) {
    case 'accepted':
      return { lastStatus: 'sent', failures: 0 }
    case 'dead':
    case 'failing': {
      const failures = device.failures + 1
      return { lastStatus: failures === 1 ? 'bounced' : 'suppressed', failures }
    }
    case 'withheld':
      return /reassigned|deleted/.test(answer.reason) ? null : { lastStatus: 'suppressed' }
    default:
      return null
  }
}
