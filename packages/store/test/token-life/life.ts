/** One life of a person: `A1`; who is deleted and comes back is somebody new, `A2`. */
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
  /** Ambiguous answers in a row, each after another device was accepted. */
  failures: number
}

export interface Delivery {
  plannedFor: Owner | null
  status: 'pending' | 'sent' | 'bounced' | 'suppressed' | 'failed'
  /** Somebody has claimed it and has not said yet what became of it. */
  isUnknown: boolean
}

/** A claimed delivery, and the registration that it is about. */
export type Send = { message: string; token: string } & Pick<
  Device,
  'registration' | 'registeredAt'
>

export interface Life {
  people: Map<string, { life: number; isKnown: boolean; isSuppressed: boolean }>
  devices: Map<string, Device>
  messages: Map<string, Map<string, Delivery>>
  sends: Map<number, Send>
  /** When a push was last accepted, as far as it was recorded. */
  acceptedAt: number
}

/** What a provider said (`busy`: come back later), or why it was not asked. */
export type Answer =
  | { kind: 'accepted' | 'ambiguous' | 'refused' | 'busy' | 'given up' }
  | { kind: 'dead'; since: number | null }
  | { kind: 'withheld'; reason: string }

/** A call about a token; `at` is the client's time, null is now. */
export type Call = { token: string; person: string | null; at: number | null }
export type Registration = Call & {
  installation: string | null
  previous: string | null
  isAnonymous: boolean
  allows: boolean
}

/** Whose life it is. */
export const nameOf = (owner: Owner): string => owner.slice(0, 1)
