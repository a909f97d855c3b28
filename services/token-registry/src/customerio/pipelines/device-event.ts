import type { Identifier } from '@pushkeep/domain'
import type { Action } from '../action.ts'
import { registerDevice } from '../device.ts'
import { isNothing, isObject } from '../people.ts'
import type { Message } from './message.ts'

const names = {
  id: 'context.device.token',
  platform: 'context.device.type',
  last_used: 'properties.last_used',
  attributes: 'properties',
  environment: 'context.device.environment',
  installation_id: 'context.device.installationId',
  installation_secret: 'context.device.installationSecret',
}

/** What an event says of the device: in the context, as SDKs do, or in its properties. */
interface SaidDevice {
  device: Record<string, unknown>
  /** The properties that are attributes of the device. */
  attributes: Record<string, unknown>
}

function deviceIn({ context, properties }: Message): SaidDevice {
  const { device: inProperties, token, ...attributes } = properties
  const said = {
    ...(isNothing(token) ? {} : { token }),
    ...(isObject(inProperties) ? inProperties : {}),
    ...(isObject(context.device) ? context.device : {}),
  }
  return { device: said, attributes }
}

/**
 * `Device Created or Updated`. A phone on which nobody is identified says so by naming nobody: the
 * device is nobody's then. `last_used` is when the app told it, not when it arrived.
 */
export function deviceCreated(message: Message, now: number): Action {
  const { device, attributes } = deviceIn(message)
  const { last_used: lastUsed, ...rest } = attributes
  const { at } = message
  const told = at === null ? undefined : Math.floor(Math.min(at, now) / 1000)
  const described = {
    token: device.token,
    platform: device.type ?? device.platform ?? osOf(message),
    lastUsed: isNothing(lastUsed) ? told : lastUsed,
    attributes: rest,
    environment: device.environment,
    installationId: device.installationId,
    installationSecret: device.installationSecret,
    timestamp: at === null ? undefined : at / 1000,
  }
  return registerDevice(message.person, described, names)
}

function osOf({ context }: Message): unknown {
  return isObject(context.os) ? context.os.name : undefined
}

/** `Device Deleted`, which SDKs also send before they know a token: then there is nothing to delete. */
export function deviceDeleted(message: Message): Action {
  const { token, installationSecret } = deviceIn(message).device
  if (typeof token !== 'string' || token === '') return { kind: 'nothing' }
  const person: Identifier | null = message.person
  const secret = typeof installationSecret === 'string' ? installationSecret : undefined
  return { kind: 'delete-device', person, token, at: message.at, secret }
}
