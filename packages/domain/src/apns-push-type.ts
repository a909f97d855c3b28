/** What a type of APNs push asks of its request. */
export interface ApnsPushType {
  /** What it adds to the bundle id to make the topic. */
  topicSuffix: string
  /** Largest payload in bytes. */
  payloadBytesMax: number
  /** Priorities that it may have; the first one where the message asks for `high`. */
  priorities: readonly [usual: number, ...others: number[]]
  /** Its pushes wake the app by `content-available`, and show, badge and sound nothing. */
  isSilent: boolean
  /** A push that is late is of no use: it is tried once. */
  isTriedOnce: boolean
}

const usual: ApnsPushType = {
  topicSuffix: '',
  payloadBytesMax: 4096,
  priorities: [10, 5, 1],
  isSilent: false,
  isTriedOnce: false,
}

/**
 * Each push type as Apple documents it. The topic of `mdm` is the UID of a certificate, which the app's
 * credentials name in the place of the bundle id.
 * https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
 */
export const apnsPushTypes = {
  alert: usual,
  // "Always use priority 5. Using priority 10 is an error."
  background: { ...usual, priorities: [5, 1], isSilent: true },
  voip: { ...usual, topicSuffix: '.voip', payloadBytesMax: 5120 },
  complication: { ...usual, topicSuffix: '.complication' },
  fileprovider: { ...usual, topicSuffix: '.pushkit.fileprovider' },
  mdm: usual,
  location: { ...usual, topicSuffix: '.location-query' },
  liveactivity: { ...usual, topicSuffix: '.push-type.liveactivity' },
  // https://developer.apple.com/documentation/pushtotalk: priority 10, expiration 0.
  pushtotalk: { ...usual, topicSuffix: '.voip-ptt', priorities: [10], isTriedOnce: true },
  widgets: { ...usual, topicSuffix: '.push-type.widgets' },
  controls: { ...usual, topicSuffix: '.push-type.controls' },
} as const satisfies Record<string, ApnsPushType>

export type ApnsPushTypeName = keyof typeof apnsPushTypes

export const apnsPushTypeNames = Object.keys(apnsPushTypes).filter(isApnsPushType)

/** Whether a text is the name of a push type. */
export function isApnsPushType(name: string): name is ApnsPushTypeName {
  return Object.hasOwn(apnsPushTypes, name)
}

/** Why a push of this type may not have these headers; null: it may. */
export function pushTypeProblem(
  type: ApnsPushTypeName,
  { priority, expiration }: { priority: string | undefined; expiration: string | undefined },
): { header: 'apns-priority' | 'apns-expiration'; message: string } | null {
  const { priorities, isTriedOnce }: ApnsPushType = apnsPushTypes[type]
  if (priority !== undefined && !priorities.map(String).includes(priority)) {
    const header = 'apns-priority'
    return { header, message: `must be ${priorities.join(', ')} for push type ${type}` }
  }
  if (isTriedOnce && expiration !== undefined && expiration !== '0') {
    return { header: 'apns-expiration', message: `must be 0 for push type ${type}` }
  }
  return null
}
