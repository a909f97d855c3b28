import type {
  Attributes,
  EventType,
  Identifier,
  PersonDeviceInput,
  ReceiptEvent,
} from '@pushkeep/domain'
import type { FieldNames } from './device.ts'

/**
 * One thing that a client of Customer.io asks for, whichever dialect it speaks. Times are ms since the
 * epoch, as the client tells them; null is now.
 */
export type Action =
  | IdentifyAction
  | { kind: 'describe-nobody'; anonymousId: string; attributes: Attributes }
  | EventAction
  | RegisterDeviceAction
  | DeleteDeviceAction
  | { kind: 'delete-person' | 'suppress' | 'unsuppress'; person: Identifier }
  | { kind: 'merge'; primary: Identifier; secondary: Identifier }
  | MetricAction
  /** What has no meaning here and is right to send all the same. */
  | { kind: 'nothing' }

export interface IdentifyAction {
  kind: 'identify'
  person: Identifier
  /** Another id of the person, from the body. */
  id: string | null
  attributes: Attributes
  anonymousId: string | null
  at: number | null
  isUpdateOnly: boolean
}

export interface EventAction {
  kind: 'event'
  /** Whoever was identified; null: nobody, on the phone of `anonymousId`. */
  person: Identifier | null
  anonymousId: string | null
  type: EventType
  name: string
  properties: Attributes
  at: number | null
}

export interface RegisterDeviceAction {
  kind: 'register-device'
  /** null: nobody is identified on the phone. */
  person: Identifier | null
  token: string
  input: Omit<PersonDeviceInput['device'], 'id'>
  /** Where the call has token and fields. */
  names: FieldNames
}

export interface DeleteDeviceAction {
  kind: 'delete-device'
  person: Identifier | null
  token: string
  at: number | null
  /** The secret of the installation, where the call has it in its body. */
  secret?: string | undefined
}

export interface MetricAction {
  kind: 'metric'
  /** UUID. */
  messageId: string
  token: string
  event: ReceiptEvent
  at: number | null
}

/** An action, and the id under which its client may send it again. */
export interface Asked {
  action: Action
  clientMessageId: string | null
}
