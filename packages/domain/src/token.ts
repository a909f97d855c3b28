import type { Platform, Provider } from './platform.ts'

const hex = /^[0-9a-fA-F]+$/

// APNs: hex, "its length may change"; 32 bytes today, longer for Live Activities.
// https://developer.apple.com/documentation/usernotifications/registering-your-app-with-apns
function isApnsToken(token: string): boolean {
  // A length in the pattern takes twice as long: it is unrolled.
  return token.length >= 32 && token.length <= 400 && hex.test(token)
}

// FCM registration tokens (`…:APA91b…`) and Firebase installation ids: URL-safe characters.
const fcmToken = /^[A-Za-z0-9_:.~=-]{8,4096}$/

// An iOS app on Firebase has the long form, installation id and colon first.
const fcmTokenOnIos = /^[A-Za-z0-9_-]{8,}:[A-Za-z0-9_-]{32,4000}$/

/** Longest token that a path or body may carry, in characters. */
export const tokenLengthMax = 4096

/** What is wrong with a token of this platform, or null. Never repeats the token: it is a secret. */
export function tokenProblem(platform: Platform, token: string): string | null {
  if (token.length === 0) return 'must not be empty'
  if (token.length > tokenLengthMax) return `must be at most ${tokenLengthMax} characters`
  if (isApnsToken(token)) return null
  if (platform === 'android' && fcmToken.test(token)) return null
  if (platform === 'ios' && fcmTokenOnIos.test(token)) return null
  return platform === 'ios'
    ? 'must be the hexadecimal APNs device token (or an FCM registration token)'
    : 'must be an FCM registration token'
}

/** Which provider carries pushes to a token. An iOS token that is not hex came from Firebase. */
export function providerOf(platform: Platform, token: string): Provider {
  return platform === 'ios' && isApnsToken(token) ? 'apns' : 'fcm'
}

/** The form under which a token is looked up: hex tokens name the same device in either case. */
export function canonicalToken(token: string): string {
  return isApnsToken(token) ? token.toLowerCase() : token
}
