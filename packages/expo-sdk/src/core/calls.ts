import {
  type DeviceContext,
  deliveryReported,
  deviceDeleted,
  deviceRegistered,
  type NewItem,
  type Platform,
} from './items.ts'
import type { Json } from './json.ts'
import type { State } from './state.ts'

type JsonObject = { [key: string]: Json }

/** What the phone says of itself. */
export interface DeviceFacts {
  platform: Platform
  /** Of a build for iOS: which APNs its token is for. */
  environment?: 'production' | 'sandbox' | undefined
  /** Collected attributes such as `device_model`, `app_version`, `push_enabled`. */
  attributes: JsonObject
}

/** What a call makes of the state, and what it queues. Both are stored in one write. */
export interface Effect {
  state: State
  items: NewItem[]
}

/** Metrics of a push that a phone can tell. */
export type MetricEvent = 'delivered' | 'opened' | 'converted'

/** How many reported deliveries are remembered: a tap may be told again at the next launch. */
const reportedMax = 50

/**
 * Makes this person the one who uses the app. The one before is forgotten; the token is untied from
 * them first, so that it is free even if the new tie should be refused.
 */
export function identify(
  state: State,
  facts: DeviceFacts | null,
  personId: string,
  traits: JsonObject,
  newId: () => string,
): Effect {
  if (state.personId === personId) {
    return { state, items: [{ type: 'identify', userId: personId, traits }] }
  }
  const before = clearIdentify(state, facts)
  const told: NewItem = {
    type: 'identify',
    userId: personId,
    traits: { ...state.profileAttributes, ...traits },
  }
  const next = { ...before.state, personId }
  if (state.personId === null) {
    // What happened since nobody was identified becomes this person's, and later such time is not.
    told.anonymousId = state.anonymousId
    next.anonymousId = newId()
  }
  const tie = registrationOf(next, facts)
  return { state: tie.state, items: [...before.items, told, ...tie.items] }
}

/** Forgets the person and unties the token from them. */
export function clearIdentify(state: State, facts: DeviceFacts | null): Effect {
  const next = { ...state, personId: null, profileAttributes: {} }
  return state.personId === null ? { state: next, items: [] } : registrationOf(next, facts)
}

/** Adds attributes to the person, or keeps them for whoever is identified next. */
export function setProfileAttributes(state: State, traits: JsonObject): Effect {
  if (state.personId === null) {
    const profileAttributes = { ...state.profileAttributes, ...traits }
    return { state: { ...state, profileAttributes }, items: [] }
  }
  return { state, items: [{ type: 'identify', userId: state.personId, traits }] }
}

/** Adds attributes to the device, or keeps them until it has a token. */
export function setDeviceAttributes(
  state: State,
  facts: DeviceFacts | null,
  attributes: JsonObject,
): Effect {
  const deviceAttributes = { ...state.deviceAttributes, ...attributes }
  return registrationOf({ ...state, deviceAttributes }, facts)
}

/** Takes the token that the phone has now. */
export function registerDeviceToken(state: State, facts: DeviceFacts, token: string): Effect {
  return registrationOf({ ...state, device: { token, platform: facts.platform } }, facts)
}

/**
 * Deletes the device on the server, whoever it belongs to there. It comes back with the next token.
 */
export function deleteDeviceToken(state: State): Effect {
  const device = contextOf(state, null)
  if (device === null) return { state, items: [] }
  const deleted = deviceEvent(deviceDeleted, { anonymousId: state.anonymousId }, {}, device)
  return { state: { ...state, device: null }, items: [deleted] }
}

/**
 * Tells the server of the device and to whom it belongs: at launch, and when something of it
 * changed. Nothing where there is no token.
 */
export function registrationOf(state: State, facts: DeviceFacts | null): Effect {
  const device = contextOf(state, facts)
  if (device === null) return { state, items: [] }
  const properties = { ...facts?.attributes, ...state.deviceAttributes }
  const registered = deviceEvent(deviceRegistered, ownerOf(state), properties, device)
  return { state: { ...state, deviceAttributes: {} }, items: [registered] }
}

export function track(state: State, event: string, properties: JsonObject): Effect {
  return { state, items: [{ type: 'track', event, properties, ...ownerOf(state) }] }
}

export function screen(state: State, name: string, properties: JsonObject): Effect {
  return { state, items: [{ type: 'screen', name, properties, ...ownerOf(state) }] }
}

/** Tells what became of a push, once. */
export function reportMetric(
  state: State,
  metric: MetricEvent,
  deliveryId: string,
  recipient: string,
): Effect {
  const mark = `${metric} ${deliveryId}`
  if (state.reported.includes(mark)) return { state, items: [] }
  const reported = [...state.reported, mark].slice(-reportedMax)
  const properties = { metric, deliveryId, recipient }
  const owner = state.personId === null ? { anonymousId: deliveryId } : { userId: state.personId }
  return {
    state: { ...state, reported },
    items: [{ type: 'track', event: deliveryReported, properties, ...owner }],
  }
}

type Owner = { userId: string } | { anonymousId: string }

/** To whom a call belongs: whoever is identified now, else the stretch of time without a person. */
function ownerOf({ personId, anonymousId }: State): Owner {
  return personId === null ? { anonymousId } : { userId: personId }
}

function deviceEvent(
  event: string,
  owner: Owner,
  properties: JsonObject,
  device: DeviceContext,
): NewItem {
  return { type: 'track', event, properties, context: { device }, ...owner }
}

function contextOf(state: State, facts: DeviceFacts | null): DeviceContext | null {
  if (state.device === null) return null
  const { token, platform } = state.device
  const { installationId, installationSecret } = state
  const environment = facts?.environment
  return {
    type: platform,
    token,
    installationId,
    installationSecret,
    ...(environment === undefined ? {} : { environment }),
  }
}
