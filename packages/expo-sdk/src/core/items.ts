import type { Json } from './json.ts'

export type Platform = 'ios' | 'android'

/** What identifies an installation and its token to the server. */
export interface DeviceContext {
  type: Platform
  token: string
  installationId: string
  installationSecret: string
  environment?: 'production' | 'sandbox'
}

interface Common {
  /** Tells a repeat: the server takes each id once. */
  messageId: string
  /** ISO 8601; later than that of every item before. */
  timestamp: string
  userId?: string
  anonymousId?: string
  context?: { device: DeviceContext }
}

/** One call as it is queued and sent: an item of a batch of the Pipelines API. */
export type Item = Common &
  (
    | { type: 'identify'; traits: { [key: string]: Json } }
    | { type: 'track'; event: string; properties: { [key: string]: Json } }
    | { type: 'screen'; name: string; properties: { [key: string]: Json } }
  )

/** An item before it has an id and a time. */
export type NewItem = Item extends infer One
  ? One extends Item
    ? Omit<One, 'messageId' | 'timestamp'>
    : never
  : never

/**
 * Events about a device. A registration with a `userId` ties it to that person; with an
 * `anonymousId` alone it unties it.
 */
export const deviceRegistered = 'Device Created or Updated'
export const deviceDeleted = 'Device Deleted'

/** What a phone tells of a push. */
export const deliveryReported = 'Report Delivery Event'

/** The token that an item is about; null where it is not about a device. */
export function tokenOf(item: Item): string | null {
  return item.context?.device.token ?? null
}

/** Whether the item is an event of the app's own, and changes neither person nor device. */
export function isEvent(item: Item): boolean {
  return item.type === 'screen' || (item.type === 'track' && tokenOf(item) === null)
}

/** The person whom an item names: it needs their identity token where the app asks for them. */
export function namedBy(item: Item): string | null {
  return item.userId ?? null
}

/** A call as errors name it: its kind and event, and nothing of what it says. */
export function nameOf(item: Item): string {
  if (item.type === 'track') return `track ${item.event}`
  return item.type === 'screen' ? `screen ${item.name}` : item.type
}
