import type { Attributes } from '@pushkeep/domain'
import type { Actor } from './audit-log.ts'
import type { ClientMessage } from './client-messages.ts'
import type { Deletion } from './deletion-rule.ts'
import type { PeopleMerge } from './merge-people.ts'
import type { PersonName } from './people.ts'
import type { NewPersonEvent } from './person-events.ts'
import type { Registration } from './registration-rule.ts'

/** One thing to do, as a caller that sends many at a time names it. */
export type Command = TogetherCommand | AloneCommand

/** Of these many are applied in few statements: kinds do not depend on each other's order. */
export type TogetherCommand =
  | { kind: 'identify'; call: IdentifyCommand }
  /** What is said of a phone on which nobody is identified. */
  | { kind: 'describe-nobody'; call: NobodyCommand }
  | { kind: 'event'; event: NewPersonEvent }
  | DeviceCommand

export type DeviceCommand =
  | { kind: 'register-device'; call: Registration }
  | { kind: 'delete-device'; call: Deletion }

/** These are applied one by one, in their place. */
export type AloneCommand =
  | { kind: 'delete-person' | 'erase-person' | 'unsuppress-person'; person: PersonName }
  | { kind: 'merge-people'; merge: PeopleMerge }

export interface IdentifyCommand extends PersonName {
  attributes: Attributes
  /** When the client said it, ms since the epoch: an attribute that was set later stays. null: now. */
  at: number | null
  /** Under which the phone was known before: becomes this person's, unless it is somebody's. */
  anonymousId: string | null
  /** Changes nothing where there is no such person. */
  isUpdateOnly: boolean
  /** A secret key or an identity token speaks of the person. */
  isVouched?: boolean
  /** What the call says of `email` is the person's address: by a secret key or a signed claim. */
  vouchesEmail?: boolean
}

export interface NobodyCommand {
  workspaceNo: number
  anonymousId: string
  attributes: Attributes
  /** Where the owner of the anonymous id has to be proven: the people whom the call proves. */
  provenIds?: readonly string[] | undefined
}

/** A command, and the id under which its client may send it again; null where it has none. */
export interface Sent {
  command: Command
  message: ClientMessage | null
  /** Who asks for it, where the audit log is to tell. */
  actor?: Actor
}

/**
 * `done`: it took effect, or had to have none (late, about nobody, about somebody blocked).
 * `repeated`: a call under the same id was honoured before. `too_large`: attributes would be too
 * large, or too many, together with those stored. `too_many_devices`: the person has as many as one may have.
 */
export type CommandVerdict = 'done' | 'repeated' | 'too_large' | 'too_many_devices'
