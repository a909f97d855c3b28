import { apnsPayloadBytesMax, renderApns } from './apns/payload.ts'
import { fcmPayloadBytesMax, forbiddenKey, renderFcm } from './fcm/payload.ts'
import type { Flaw, MessageToRender } from './provider.ts'

/** What a provider would refuse about a message's payload: too large, or a key that it reserves. */
export type PayloadProblem = Flaw & { kind: 'too-large' | 'forbidden' }

/** The first thing about a message's content that a provider would refuse, or null. */
export function payloadProblem(message: MessageToRender): PayloadProblem | null {
  const key = forbiddenKey(message.content?.data)
  if (key !== null) {
    return { kind: 'forbidden', path: `content.data.${key}`, message: 'is reserved by FCM' }
  }
  const own = forbiddenKey(message.fcm?.data)
  if (own !== null) {
    return { kind: 'forbidden', path: `fcm.data.${own}`, message: 'is reserved by FCM' }
  }
  const apnsBytes = renderApns(message, '').payload.length
  if (apnsBytes > apnsPayloadBytesMax) return tooLarge('APNs', apnsBytes, apnsPayloadBytesMax)
  const { before, after } = renderFcm(message, 0)
  const fcmBytes = Buffer.byteLength(before) + Buffer.byteLength(after)
  return fcmBytes > fcmPayloadBytesMax ? tooLarge('FCM', fcmBytes, fcmPayloadBytesMax) : null
}

function tooLarge(provider: string, bytes: number, max: number): PayloadProblem {
  return {
    kind: 'too-large',
    path: 'content',
    message: `makes a payload of ${bytes} bytes; ${provider} takes ${max}`,
  }
}
