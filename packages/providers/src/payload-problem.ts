import { apnsPushTypeNames, isApnsPushType, pushTypeProblem } from '@pushkeep/domain'
import {
  apnsPayloadBytesMax,
  isHeaderText,
  pushTypeOf,
  renderApns,
  showsContent,
} from './apns/payload.ts'
import { fcmPayloadBytes, fcmPayloadBytesMax, forbiddenKey } from './fcm/payload.ts'
import type { Flaw, MessageToRender } from './provider.ts'
import { tokenBytesAssumed } from './sdk-keys.ts'
import { bytesOf } from './spliced.ts'

/** What a provider would refuse about a message: its size, or something that it does not take. */
export type PayloadProblem = Flaw & { kind: 'too-large' | 'forbidden' }

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

function badHeader(message: MessageToRender): PayloadProblem | null {
  const bad = Object.entries(message.apns?.headers ?? {}).find(
    // A collapse id is hashed where a header cannot carry it.
    ([name, value]) => name !== 'apns-collapse-id' && !isHeaderText(value ?? ''),
  )
  if (bad) return forbiddenHeader(bad[0], 'must be visible ASCII')
  return badPushType(message) ?? badExpiration(message)
}

function forbiddenHeader(name: string, message: string): PayloadProblem {
  return { kind: 'forbidden', path: `apns.headers.${name}`, message }
}

/** A type that APNs does not know, or one that does not go with what else the caller asks for. */
function badPushType(message: MessageToRender): PayloadProblem | null {
  const headers = message.apns?.headers ?? {}
  const named = headers['apns-push-type']
  if (named !== undefined && !isApnsPushType(named)) {
    return forbiddenHeader('apns-push-type', `must be one of ${apnsPushTypeNames.join(', ')}`)
  }
  if (named === 'background' && showsContent(message)) {
    return forbiddenHeader(
      'apns-push-type',
      'must not be background: the push has an alert, a badge or a sound',
    )
  }
  const problem = pushTypeProblem(pushTypeOf(message), {
    priority: headers['apns-priority'],
    expiration: headers['apns-expiration'],
  })
  return problem && forbiddenHeader(problem.header, problem.message)
}

/** https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns: seconds since the epoch. */
function badExpiration({ apns }: MessageToRender): PayloadProblem | null {
  const expiration = apns?.headers?.['apns-expiration']
  if (expiration === undefined || /^\d{1,10}$/.test(expiration)) return null
  return forbiddenHeader('apns-expiration', 'must be seconds since 1970, or 0')
}

function tooLarge(message: MessageToRender): PayloadProblem | null {
  const bytes = payloadBytes(message)
  const bytesMax = { apns: apnsPayloadBytesMax(message), fcm: fcmPayloadBytesMax }
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
