import apn from '@parse/node-apn'
import type { Attributes, Content } from '@pushkeep/domain'
import type { MessageToRender } from '../provider.ts'

// What the library has and its declarations leave out.
declare module '@parse/node-apn' {
  interface Notification {
    headers(): Record<string, string | number>
    compile(): string
  }
}

/** What all devices of a message share: headers but for path, token and id, and the payload. */
export interface ApnsPush {
  /** Alternating names and values. */
  headers: readonly string[]
  payload: Buffer
}

/** Largest payload of an alert, in bytes. */
export const apnsPayloadBytesMax = 4096

/** Builds a message's APNs request once; `topic` is the app's bundle id. */
export function renderApns(message: MessageToRender, topic: string): ApnsPush {
  const notification = new apn.Notification()
  const { content = {}, apns } = message
  const isSilent = content.title === undefined && content.body === undefined && !hasAlert(apns)
  notification.topic = topic
  notification.pushType = isSilent ? 'background' : 'alert'
  notification.priority = isSilent || message.priority === 'normal' ? 5 : 10
  notification.expiry = message.ttlSeconds === 0 ? 0 : Math.floor(message.expiresAt / 1000)
  if (message.collapseId !== null) notification.collapseId = message.collapseId
  if (isSilent) notification.contentAvailable = true
  fill(notification, content)
  const custom: Attributes = { ...content.data, pushkeep: ownKeys(message.id, content) }
  delete custom.aps
  notification.payload = custom
  const headers = { ...notification.headers(), ...apns?.headers }
  return {
    headers: Object.entries(headers).flatMap(([name, value]) => [name, String(value)]),
    payload: Buffer.from(JSON.stringify(overlaid(toObject(notification), apns?.payload))),
  }
}

function fill(notification: apn.Notification, content: Content): void {
  const { title, body, badge, sound, image_url: image } = content
  if (title !== undefined || body !== undefined) {
    notification.alert = {
      ...(title && { title }),
      ...(body && { body }),
    } as typeof notification.alert
  }
  if (badge !== undefined) notification.badge = badge
  if (sound !== undefined) notification.sound = sound
  // The app's service extension fetches the image.
  if (image !== undefined) notification.mutableContent = true
}

function ownKeys(id: string, { link, image_url }: Content): Attributes {
  return { message_id: id, ...(link && { link }), ...(image_url && { image_url }) }
}

function hasAlert(apns: MessageToRender['apns']): boolean {
  const aps = apns?.payload?.aps
  return typeof aps === 'object' && aps !== null && 'alert' in aps
}

function toObject(notification: apn.Notification): Attributes {
  return JSON.parse(notification.compile())
}

/** Top-level keys replace; `aps` is merged by key. */
function overlaid(payload: Attributes, override: Attributes | undefined): Attributes {
  if (!override) return payload
  const { aps, ...rest } = override
  const merged = { ...payload, ...rest }
  if (isObject(aps)) merged.aps = { ...(isObject(payload.aps) ? payload.aps : {}), ...aps }
  return merged
}

function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
