import type { IncomingHttpHeaders } from 'node:http2'
import type { CredentialRegistry } from '../registry.ts'
import { type ApnsPush, textHeader } from './push.ts'
import type { ApnsReason } from './reasons.ts'

/** What each push type adds to the bundle id to make its topic. */
const TOPIC_SUFFIX = new Map([
  // APNs recommends the header and lets a push do without it.
  ['', ''],
  ['alert', ''],
  ['background', ''],
  ['voip', '.voip'],
  ['complication', '.complication'],
  ['fileprovider', '.pushkit.fileprovider'],
  ['mdm', ''],
  ['location', '.location-query'],
  ['liveactivity', '.push-type.liveactivity'],
  ['pushtotalk', '.voip-ptt'],
  ['controls', '.push-type.controls'],
  ['widgets', '.push-type.widgets'],
])

const COLLAPSE_ID_BYTES_MAX = 64
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The first thing wrong with a push's headers, or null. */
export function checkHeaders(
  push: ApnsPush,
  teamId: string,
  registry: CredentialRegistry,
): ApnsReason | null {
  const reason = firstFault(push, teamId, registry)
  // Node joins a repeated header with a comma, which none of these values may contain.
  const mayRepeat = reason !== null || push.collapseId.includes(', ')
  return mayRepeat && hasRepeatedHeader(push.headers) ? 'DuplicateHeaders' : reason
}

function firstFault(
  { id, topic, pushType, collapseId, headers }: ApnsPush,
  teamId: string,
  registry: CredentialRegistry,
): ApnsReason | null {
  if (!UUID.test(id)) return 'BadMessageId'
  const suffix = TOPIC_SUFFIX.get(pushType)
  if (suffix === undefined) return 'InvalidPushType'
  if (!isPriority(textHeader(headers, 'apns-priority'), pushType)) return 'BadPriority'
  const expiration = textHeader(headers, 'apns-expiration')
  if (expiration !== '' && !/^\d{1,15}$/.test(expiration)) return 'BadExpirationDate'
  // A header value arrives as one character a byte.
  if (collapseId.length > COLLAPSE_ID_BYTES_MAX) return 'BadCollapseId'
  return checkTopic(topic, suffix, teamId, registry)
}

/** A background push at priority 10 is an error; 10 is what an absent header means elsewhere. */
function isPriority(priority: string, pushType: string): boolean {
  if (priority === '10') return pushType !== 'background'
  return priority === '' || priority === '5' || priority === '1'
}

function checkTopic(
  topic: string,
  suffix: string,
  teamId: string,
  registry: CredentialRegistry,
): ApnsReason | null {
  if (topic === '') return 'MissingTopic'
  if (!topic.endsWith(suffix)) return 'BadTopic'
  const bundle = suffix === '' ? topic : topic.slice(0, -suffix.length)
  const teams = registry.teamsOf(bundle)
  if (teams === undefined) return 'BadTopic'
  return teams.has(teamId) ? null : 'TopicDisallowed'
}

function hasRepeatedHeader(headers: IncomingHttpHeaders): boolean {
  return Object.entries(headers).some(
    ([name, value]) =>
      name.startsWith('apns-') && typeof value === 'string' && value.includes(', '),
  )
}
