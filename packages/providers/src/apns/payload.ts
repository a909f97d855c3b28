import { createHash } from 'node:crypto'
import { Notification } from '@parse/node-apn'
import {
  type ApnsOverride,
  type ApnsPushType,
  type ApnsPushTypeName,
  type Attributes,
  apnsPushTypes,
  type Content,
  isApnsPushType,
  type Json,
} from '@pushkeep/domain'
import type { MessageToRender } from '../provider.ts'
import { deliveryTokenKey, iosSdkKeys } from '../sdk-keys.ts'
import { type Spliced, spliced } from '../spliced.ts'

// What the library has and its declarations leave out.
declare module '@parse/node-apn' {
  interface Notification {
    headers(): Record<string, string | number>
    compile(): string
  }
}

/**
 * What all devices of a message share: headers but for path, token and id, and the payload, which
 * may hold the token.
 */
export interface ApnsPush {
  /** Alternating names and values, as node:http2 takes them. */
  headers: readonly string[]
  payload: Spliced
}

/** The type of a message's push: the one that its caller named, else by what it shows. */
export function pushTypeOf(message: MessageToRender): ApnsPushTypeName {
  const named = message.apns?.headers?.['apns-push-type']
  if (named !== undefined && isApnsPushType(named)) return named
  return showsNothing(apsOf(message).aps) ? 'background' : 'alert'
}

/** Whether a message's push shows, badges or sounds something. */
export function showsContent(message: MessageToRender): boolean {
  return !showsNothing(apsOf(message).aps)
}

/** Largest payload of a message's push, in bytes. */
export function apnsPayloadBytesMax(message: MessageToRender): number {
  return apnsPushTypes[pushTypeOf(message)].payloadBytesMax
}

/** A notification with what the content says, under what the caller put into `aps`. */
function apsOf(message: MessageToRender): Notification {
  const { aps } = message.apns?.payload ?? {}
  const notification = new Notification()
  fill(notification, message)
  Object.assign(notification.aps, isObject(aps) ? aps : {})
  return notification
}

/** Builds a message's APNs request once; `topic` is the app's bundle id, without a type's suffix. */
export function renderApns(message: MessageToRender, topic: string): ApnsPush {
  const { content = {}, apns = {}, priority, collapseId, ttlSeconds, expiresAt } = message
  const { aps: _, ...replacing } = apns.payload ?? {}
  const notification = apsOf(message)
  const typeName = pushTypeOf(message)
  const type: ApnsPushType = apnsPushTypes[typeName]
  if (type.isSilent) notification.aps['content-available'] = 1
  // A push that shows nothing is not for the SDKs: on Android they would show it.
  const sdkKeys = message.sdkKeys && typeName === 'alert' ? iosSdkKeys(message.id, content) : null
  notification.payload = { ...sdkKeys, ...customKeys(message.id, content, replacing) }
  notification.priority = priorityOf(type, priority)
  notification.expiry = ttlSeconds === 0 || type.isTriedOnce ? 0 : Math.floor(expiresAt / 1000)
  if (collapseId !== null) notification.collapseId = collapseHeader(collapseId)
  return {
    headers: flatHeaders(
      {
        ...notification.headers(),
        'apns-topic': `${topic}${type.topicSuffix}`,
        'apns-push-type': typeName,
      },
      apns.headers,
    ),
    payload: withToken(notification.compile(), sdkKeys !== null, notification.payload),
  }
}

/** The token goes first, where its place in the text is known. A caller's own one stays. */
function withToken(text: string, isWanted: boolean, payload: object): Spliced {
  if (!isWanted || deliveryTokenKey in payload) return spliced(text)
  return spliced(`{"${deliveryTokenKey}":"`, `",${text.slice(1)}`)
}

/** APNs answers `BadCollapseId` to a longer one. */
const collapseIdBytesMax = 64

/**
 * A collapse id as a header carries it: APNs compares it, and only equality matters. One with
 * other than visible ASCII, which headers do not carry, or of more than 64 bytes is replaced by its hash.
 */
export function collapseHeader(collapseId: string): string {
  if (isHeaderText(collapseId) && collapseId.length <= collapseIdBytesMax) return collapseId
  return createHash('sha256').update(collapseId).digest('base64url')
}

/** Whether a header's value may be this text: visible ASCII, with spaces inside only. */
export function isHeaderText(text: string): boolean {
  return /^[!-~](?:[ -~]*[!-~])?$/.test(text)
}

function fill({ aps }: Notification, { content = {}, sdkKeys }: MessageToRender): void {
  const { title, body, badge, sound, image_url: image } = content
  if (title !== undefined || body !== undefined) {
    aps.alert = {
      ...(title === undefined ? {} : { title }),
      ...(body === undefined ? {} : { body }),
    }
  }
  if (badge !== undefined) aps.badge = badge
  if (sound !== undefined) aps.sound = sound
  // The app's service extension fetches the image; that of Customer.io's SDK reports the delivery.
  if (image !== undefined || (sdkKeys && aps.alert)) aps['mutable-content'] = 1
}

/** The type's own priority, or the one below it where the message has time. */
function priorityOf({ priorities }: ApnsPushType, wanted: 'high' | 'normal'): number {
  const [first, second = first] = priorities
  return wanted === 'high' || first === 5 ? first : second
}

/**
 * Type `alert` is for pushes that show, badge or sound something; anything else is `background`.
 * https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
 */
function showsNothing(aps: object): boolean {
  return !('alert' in aps) && !('badge' in aps) && !('sound' in aps)
}

/** What stands beside `aps`: the app's data, our own key, and what replaces either of them. */
function customKeys(id: string, content: Content, replacing: Attributes): Attributes {
  const { data = {}, link, image_url } = content
  const { aps: _, ...keys } = data
  const pushkeep: Record<string, Json> = { message_id: id }
  if (link !== undefined) pushkeep.link = link
  if (image_url !== undefined) pushkeep.image_url = image_url
  return { ...keys, pushkeep, ...replacing }
}

function flatHeaders(
  headers: Record<string, string | number>,
  override: ApnsOverride['headers'],
): string[] {
  const all: Record<string, string | number> = { ...headers, ...override }
  const collapseId = override?.['apns-collapse-id']
  if (collapseId !== undefined) all['apns-collapse-id'] = collapseHeader(collapseId)
  return Object.entries(all).flatMap(([name, value]) => [name, String(value)])
}

function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
