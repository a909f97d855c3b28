import type { Attributes, Content, Json } from '@pushkeep/domain'
import type { Message } from 'firebase-admin/messaging'
import type { MessageToRender } from '../provider.ts'

/** The body of a message's requests, in two parts around the token. */
export interface FcmPush {
  before: string
  after: string
}

// "keys and values", without the target. https://firebase.google.com/docs/cloud-messaging/concept-options
/** Largest message, in bytes. */
export const fcmPayloadBytesMax = 4096

// https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages#Message
const forbiddenDataKey = /^(from|message_type|gcm|google)/

/** The first data key that FCM does not take, or null. */
export function forbiddenKey(data: Attributes | undefined): string | null {
  return Object.keys(data ?? {}).find((key) => forbiddenDataKey.test(key)) ?? null
}

/** Builds a message's FCM request once; `now` in ms, from which the time to live counts. */
export function renderFcm(message: MessageToRender, now: number): FcmPush {
  const body = JSON.stringify(fcmMessage(message, now))
  return { before: '{"message":{"token":"', after: `",${body.slice(1)}}` }
}

// The wire form: the library's `Message` type has the time to live as a number of milliseconds.
type WireMessage = Omit<Extract<Message, { token: string }>, 'token' | 'android'> & Attributes

function fcmMessage(message: MessageToRender, now: number): Attributes {
  const { content = {}, fcm = {} } = message
  const data = { ...dataOf(message.id, content), ...stringsOf(fcm.data ?? {}) }
  const built: WireMessage = {
    ...(hasText(content) && { notification: notificationOf(content) }),
    android: androidOf(message, content, now),
    apns: apnsOf(message, content),
  }
  const merged: Attributes = { ...built }
  for (const [key, value] of Object.entries(fcm)) {
    const before = merged[key]
    if (value !== undefined) merged[key] = isObject(before) ? { ...before, ...value } : value
  }
  return { ...merged, data }
}

function hasText({ title, body, image_url }: Content): boolean {
  return title !== undefined || body !== undefined || image_url !== undefined
}

function notificationOf({ title, body, image_url }: Content): Record<string, string> {
  return { ...(title && { title }), ...(body && { body }), ...(image_url && { image: image_url }) }
}

/** FCM's data is text by text. */
function dataOf(id: string, { data = {}, link }: Content): Record<string, string> {
  return { ...stringsOf(data), ...(link && { link }), pushkeep_message_id: id }
}

function stringsOf(data: Attributes): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}

function androidOf(message: MessageToRender, content: Content, now: number): Attributes {
  const { collapseId, priority, ttlSeconds, expiresAt } = message
  const remaining = Math.max(0, Math.floor((expiresAt - now) / 1000))
  const notification: Attributes = {
    ...(collapseId !== null && { tag: collapseId }),
    ...(content.sound && { sound: content.sound }),
    ...(content.badge !== undefined && { notification_count: content.badge }),
  }
  return {
    priority: priority === 'high' ? 'HIGH' : 'NORMAL',
    ttl: `${Math.min(remaining, ttlSeconds)}s`,
    ...(collapseId !== null && { collapse_key: collapseId }),
    ...(hasText(content) && { notification }),
  }
}

/** For iOS apps that take their pushes through Firebase. */
function apnsOf(message: MessageToRender, content: Content): Attributes {
  const { collapseId, priority, ttlSeconds, expiresAt } = message
  const isSilent = !hasText(content)
  const expiration = ttlSeconds === 0 ? 0 : Math.floor(expiresAt / 1000)
  const aps: Record<string, Json> = {
    ...(content.badge !== undefined && { badge: content.badge }),
    ...(content.sound && { sound: content.sound }),
    ...(content.image_url && { 'mutable-content': 1 }),
    ...(isSilent && { 'content-available': 1 }),
  }
  return {
    headers: {
      'apns-priority': isSilent || priority === 'normal' ? '5' : '10',
      'apns-expiration': String(expiration),
      ...(collapseId !== null && { 'apns-collapse-id': collapseId }),
    },
    payload: { aps },
  }
}

function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
