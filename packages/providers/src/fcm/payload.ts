import type { Attributes, Content, FcmOverride } from '@pushkeep/domain'
import type { AndroidConfig, AndroidNotification, ApnsConfig } from 'firebase-admin/messaging'
import { collapseHeader } from '../apns/payload.ts'
import type { MessageToRender } from '../provider.ts'
import { deliveryTokenKey, fcmSdkKeys, richPush, tokenBytesAssumed } from '../sdk-keys.ts'
import { type Spliced, spliced } from '../spliced.ts'
import type { Wire } from './wire.ts'

/** The body of a message's requests, in parts around the token. */
export interface FcmPush {
  body: Spliced
}

// "4096 bytes for most messages. This includes both the keys and the values."
// https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
/** Largest payload in bytes. */
export const fcmPayloadBytesMax = 4096

const ttlSecondsMax = 2_419_200

// "from, or gcm, or any value prefixed by google" (ErrorCode, above); "message_type":
// https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages#Message
const forbiddenDataKey = /^(?:from$|message_type$|gcm|google)/

type WireAndroidNotification = Pick<
  Wire<AndroidNotification>,
  'tag' | 'sound' | 'notification_count'
>

type WireAndroid = Pick<Wire<AndroidConfig>, 'collapse_key'> & {
  priority: 'HIGH' | 'NORMAL'
  ttl: `${number}s`
  notification?: WireAndroidNotification
}

interface WireMessage {
  data: Record<string, string>
  notification?: { title?: string; body?: string; image?: string }
  android: WireAndroid
  apns: Pick<ApnsConfig, 'headers'> & { payload: Attributes & { aps: Attributes } }
}

/** A message under a caller's parts: its data is there and is text, whatever else is in it. */
type Overlaid = Record<string, unknown> & Pick<WireMessage, 'data'>

/** The first data key that FCM does not take, or null. */
export function forbiddenKey(data: Attributes | undefined): string | null {
  return Object.keys(data ?? {}).find((key) => forbiddenDataKey.test(key)) ?? null
}

/** Builds a message's FCM request once; `now` in ms, from which the time to live counts. */
export function renderFcm(message: MessageToRender, now: number): FcmPush {
  const { data, ...rest } = fcmMessage(message, now)
  const target = '{"message":{"token":"'
  const dataText = JSON.stringify(data).slice(1)
  const restText = `${JSON.stringify(rest).slice(1)}}`
  const body = hasDeliveryToken(message, data)
    ? spliced(target, `","data":{"${deliveryTokenKey}":"`, `",${dataText},${restText}`)
    : spliced(target, `","data":{${dataText},${restText}`)
  return { body }
}

/** Whether the data has the device's token too. A caller's own one stays. */
function hasDeliveryToken(message: MessageToRender, data: object): boolean {
  return message.sdkKeys && !isSilent(message) && !(deliveryTokenKey in data)
}

/** Keys and values that travel to the phone, in bytes: the larger of Android's and Apple's part. */
export function fcmPayloadBytes(message: MessageToRender): number {
  const { data, notification, android, apns } = fcmMessage(message, message.expiresAt)
  const token = hasDeliveryToken(message, data) ? deliveryTokenKey.length + tokenBytesAssumed : 0
  const parts = [data, notification, field(android, 'data'), field(android, 'notification')]
  const toAndroid = parts.reduce<number>((sum, part) => sum + keysAndValues(part), token)
  const toApple = Buffer.byteLength(JSON.stringify(field(apns, 'payload') ?? null))
  return Math.max(toAndroid, toApple)
}

function fcmMessage(message: MessageToRender, now: number): Overlaid {
  const { content = {}, fcm = {} } = message
  const silent = isSilent(message)
  const sdkKeys = message.sdkKeys && !silent ? fcmSdkKeys(message.id, content) : {}
  const built: WireMessage = {
    data: { ...sdkKeys, ...dataOf(message.id, content) },
    ...(silent ? {} : { notification: notificationOf(content) }),
    android: androidOf(message, content, silent, now),
    apns: apnsOf(message, content, silent),
  }
  return overlaid(built, fcm)
}

function isSilent({ content = {}, fcm = {} }: MessageToRender): boolean {
  return content.title === undefined && content.body === undefined && !fcm.notification
}

function notificationOf({ title, body, image_url: image }: Content) {
  return {
    ...(title === undefined ? {} : { title }),
    ...(body === undefined ? {} : { body }),
    ...(image === undefined ? {} : { image }),
  }
}

/** FCM's data is text by text. */
function dataOf(id: string, { data = {}, link }: Content): Record<string, string> {
  const own = { pushkeep_message_id: id, ...(link === undefined ? {} : { link }) }
  return { ...asText(data), ...own }
}

function asText(data: Attributes): Record<string, string> {
  const texts = Object.entries(data).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return Object.fromEntries(texts)
}

function androidOf(
  message: MessageToRender,
  { sound, badge }: Content,
  isSilent: boolean,
  now: number,
): WireAndroid {
  const { id, collapseId, priority, expiresAt, ttlSeconds } = message
  const remaining = Math.min(Math.floor((expiresAt - now) / 1000), ttlSeconds, ttlSecondsMax)
  const notification: WireAndroidNotification = {
    ...(collapseId === null ? {} : { tag: collapseId }),
    ...(sound === undefined ? {} : { sound }),
    ...(badge === undefined ? {} : { notification_count: badge }),
  }
  // For a device that is away FCM keeps 100 messages, but of those with collapse keys only four
  // keys: a data message has one only where the caller named it.
  // https://firebase.google.com/docs/cloud-messaging/customize-messages/collapsible-message-types
  const hasKey = collapseId !== null && (!isSilent || collapseId !== id)
  return {
    priority: priority === 'high' ? 'HIGH' : 'NORMAL',
    ttl: `${Math.max(0, remaining)}s`,
    ...(hasKey ? { collapse_key: collapseId } : {}),
    ...(isSilent ? {} : { notification }),
  }
}

/** For iOS apps that take their pushes through Firebase, which adds the alert. */
function apnsOf(
  message: MessageToRender,
  content: Content,
  isSilent: boolean,
): WireMessage['apns'] {
  const { badge, sound, image_url: image } = content
  const { collapseId, priority, ttlSeconds, expiresAt, sdkKeys } = message
  // By APNs' rule, as in apns/payload.ts: a badge or a sound is something to notice.
  const isBackground = isSilent && badge === undefined && sound === undefined
  const isForSdk = sdkKeys && !isSilent
  return {
    headers: {
      'apns-push-type': isBackground ? 'background' : 'alert',
      'apns-priority': isBackground || priority === 'normal' ? '5' : '10',
      'apns-expiration': String(ttlSeconds === 0 ? 0 : Math.floor(expiresAt / 1000)),
      ...(collapseId === null ? {} : { 'apns-collapse-id': collapseHeader(collapseId) }),
    },
    payload: {
      ...(isForSdk ? richPush(content) : {}),
      aps: {
        ...(badge === undefined ? {} : { badge }),
        ...(sound === undefined ? {} : { sound }),
        ...(image !== undefined || isForSdk ? { 'mutable-content': 1 } : {}),
        ...(isBackground ? { 'content-available': 1 } : {}),
      },
    },
  }
}

/** Merged one level deep: the caller's keys win, in either of the two spellings that FCM reads. */
function overlaid({ data, ...message }: WireMessage, over: FcmOverride): Overlaid {
  const { data: theirData = {}, ...sections } = over
  const merged: Record<string, unknown> = { ...message }
  for (const [section, keys] of Object.entries(sections)) {
    if (keys === undefined) continue
    const ours = merged[section]
    const kept = Object.entries(isObject(ours) ? ours : {}).filter(
      ([key]) => !Object.hasOwn(keys, camelCase(key)),
    )
    merged[section] = { ...Object.fromEntries(kept), ...keys }
  }
  return { ...merged, data: { ...data, ...asText(theirData) } }
}

function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function keysAndValues(part: unknown): number {
  if (!isObject(part)) return 0
  return Object.entries(part).reduce((sum, [key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return sum + Buffer.byteLength(key) + Buffer.byteLength(text)
  }, 0)
}

function field(owner: unknown, name: string): unknown {
  return isObject(owner) ? owner[name] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
