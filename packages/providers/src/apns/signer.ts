import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { ApnsCredentials } from '../credentials.ts'

// "Refresh your token no more than once every 20 minutes and no less than once every 60 minutes."
// https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
const renewAfterMs = 50 * 60_000
const renewAtMostEveryMs = 20 * 60_000

/**
 * Makes the provider tokens of one key: one at a time, shared by all its connections, since APNs
 * answers TooManyProviderTokenUpdates to several.
 */
export class ProviderTokenSigner {
  readonly #key: KeyObject
  readonly #teamId: string
  readonly #keyId: string
  readonly #now: () => number
  #authorization = ''
  #signedAt = Number.NEGATIVE_INFINITY
  #forcedAt = Number.NEGATIVE_INFINITY

  /** Throws where the key is not the PEM of an EC key. `now` in ms since the epoch. */
  constructor(credentials: ApnsCredentials, now: () => number) {
    this.#key = createPrivateKey(credentials.privateKey)
    this.#teamId = credentials.teamId
    this.#keyId = credentials.keyId
    this.#now = now
  }

  /** The `authorization` header to send now. */
  authorization(): string {
    // The age is negative after the clock was set back: the token is then from the future.
    if (Math.abs(this.#now() - this.#signedAt) >= renewAfterMs) this.#sign()
    return this.#authorization
  }

  /**
   * Renews at once, because APNs called `refused` too old. Where a newer one is in use already that
   * one serves; twice within 20 minutes is refused (false), since APNs would refuse it too.
   */
  renew(refused: string): boolean {
    if (refused !== this.#authorization) return true
    if (this.#now() - this.#forcedAt < renewAtMostEveryMs) return false
    this.#forcedAt = this.#now()
    this.#sign()
    return true
  }

  #sign(): void {
    const now = this.#now()
    const header = encode({ alg: 'ES256', kid: this.#keyId })
    const claims = encode({ iss: this.#teamId, iat: Math.floor(now / 1000) })
    const signature = sign('sha256', Buffer.from(`${header}.${claims}`), {
      key: this.#key,
      dsaEncoding: 'ieee-p1363',
    })
    this.#authorization = `bearer ${header}.${claims}.${signature.toString('base64url')}`
    this.#signedAt = now
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
