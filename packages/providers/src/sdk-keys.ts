import { type Attributes, type Content, deliveryIdOf, type Json } from '@pushkeep/domain'

// What Customer.io's SDKs look for in a push: without both they take it for somebody else's, and
// report nothing of it.
// https://github.com/customerio/customerio-ios (CustomerIOParsedPushPayload)
// https://github.com/customerio/customerio-android (PushTrackingUtil)
export const deliveryIdKey = 'CIO-Delivery-ID'
export const deliveryTokenKey = 'CIO-Delivery-Token'

/** How long a token is taken to be where a payload's size is judged before its devices are known. */
export const tokenBytesAssumed = 200

/** Beside `aps`, for their iOS SDK: the message, and what its rich push shows and opens. */
export function iosSdkKeys(id: string, content: Content): Attributes {
  return { [deliveryIdKey]: deliveryIdOf(id), ...richPush(content) }
}

/** The image and the link of a push as their iOS SDK reads them, where it has any. */
export function richPush({ image_url: image, link }: Content): Attributes {
  if (image === undefined && link === undefined) return {}
  const push: Record<string, Json> = {}
  if (image !== undefined) push.image = image
  if (link !== undefined) push.link = link
  return { CIO: { push } }
}

/**
 * In FCM's data, for their Android SDK (on iOS, FCM puts data where the SDK looks). It reads `link`
 * and `image` there; title and body it takes from the notification.
 */
export function fcmSdkKeys(id: string, { image_url: image }: Content): Record<string, string> {
  return { [deliveryIdKey]: deliveryIdOf(id), ...(image === undefined ? {} : { image }) }
}
