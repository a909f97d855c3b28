import { apnsPayloadBytesMax, isHeaderText, renderApns } from './apns/payload.ts'
import { fcmPayloadBytes, fcmPayloadBytesMax, forbiddenKey } from './fcm/payload.ts'
import type { Flaw, MessageToRender } from './provider.ts'
import { tokenBytesAssumed } from './sdk-keys.ts'
import { bytesOf } from './spliced.ts'

/** What a provider would refuse about a message: its size, or something that it does not take. */
export type PayloadProblem = Flaw & { kind: 'too-large' | 'forbidden' }

const bytesMax = { apns: apnsPayloadBytesMax, fcm: fcmPayloadBytesMax }
const nameOf = { apns: 'APNs', fcm: 'FCM' }

/**
 * How large a message is for each provider, in bytes as that provider counts them. Where the payload
 * holds the device's token, one of `tokenBytesAssumed`.
 */
export function payloadBytes(message: MessageToRender): { apns: number; fcm: number } {
  const { payload } = renderApns(message, '')
  return { apns: bytesOf(payload, tokenBytesAssumed), fcm: fcmPayloadBytes(message) }
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
  const bytes = payloadBytes(message)
  const provider = (['apns', 'fcm'] as const).find((one) => bytes[one] > bytesMax[one])
  if (!provider) return null
  const keys = bytes[provider] - payloadBytes({ ...message, sdkKeys: false })[provider]
  const share = keys > 0 ? `, ${keys} of them for Customer.io's SDKs` : ''
  return {
    kind: 'too-large',
    path: message.content ? 'content' : provider,
    message: `makes a payload of ${bytes[provider]} bytes${share}; ${nameOf[provider]} takes ${bytesMax[provider]}`,
  }
}
