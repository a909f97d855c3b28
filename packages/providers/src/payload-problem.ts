import { apnsPayloadBytesMax, isHeaderText, renderApns } from './apns/payload.ts'
import { fcmPayloadBytes, fcmPayloadBytesMax, forbiddenKey } from './fcm/payload.ts'
import type { Flaw, MessageToRender } from './provider.ts'

/** What a provider would refuse about a message: its size, or something that it does not take. */
export type PayloadProblem = Flaw & { kind: 'too-large' | 'forbidden' }

/** How large a message is for each provider, in bytes as that provider counts them. */
export function payloadBytes(message: MessageToRender): { apns: number; fcm: number } {
  return { apns: renderApns(message, '').payload.length, fcm: fcmPayloadBytes(message) }
}

/** The first thing about a message that a provider would refuse for every device, or null. */
export function payloadProblem(message: MessageToRender): PayloadProblem | null {
  return (
    reservedKey('content.data', forbiddenKey(message.content?.data)) ??
    reservedKey('fcm.data', forbiddenKey(message.fcm?.data)) ??
    badHeader(message) ??
    tooLarge(message)
  )
}

function reservedKey(path: string, key: string | null): PayloadProblem | null {
  if (key === null) return null
  return { kind: 'forbidden', path: `${path}.${key}`, message: 'is reserved by FCM' }
}

function badHeader({ apns }: MessageToRender): PayloadProblem | null {
  const bad = Object.entries(apns?.headers ?? {}).find(
    // A collapse id is hashed where a header cannot carry it.
    ([name, value]) => name !== 'apns-collapse-id' && !isHeaderText(value ?? ''),
  )
  if (!bad) return null
  return { kind: 'forbidden', path: `apns.headers.${bad[0]}`, message: 'must be visible ASCII' }
}

function tooLarge(message: MessageToRender): PayloadProblem | null {
  const { apns, fcm } = payloadBytes(message)
  if (apns > apnsPayloadBytesMax) return sizeProblem(message, 'APNs', apns, apnsPayloadBytesMax)
  if (fcm > fcmPayloadBytesMax) return sizeProblem(message, 'FCM', fcm, fcmPayloadBytesMax)
  return null
}

function sizeProblem(
  { content }: MessageToRender,
  provider: 'APNs' | 'FCM',
  bytes: number,
  max: number,
): PayloadProblem {
  const path = content ? 'content' : provider.toLowerCase()
  const message = `makes a payload of ${bytes} bytes; ${provider} takes ${max}`
  return { kind: 'too-large', path, message }
}
