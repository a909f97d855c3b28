import { randomBytes } from 'node:crypto'
import type { CredentialRegistry, KnownAccount } from '../registry.ts'

/** Seconds: what Google's answer says. */
export const EXPIRES_IN = 3599

interface Grant {
  account: KnownAccount
  endsAt: number
}

/** The OAuth access tokens in circulation. */
export class AccessTokens {
  /** Tokens issued since the last reset. */
  issued = 0
  readonly #grants = new Map<string, Grant>()
  readonly #registry: CredentialRegistry
  readonly #now: () => number

  constructor(registry: CredentialRegistry, now: () => number) {
    this.#registry = registry
    this.#now = now
  }

  issue(account: KnownAccount): string {
    const token = `ya29.${randomBytes(96).toString('base64url')}`
    this.#grants.set(token, { account, endsAt: this.#now() + EXPIRES_IN * 1000 })
    this.issued += 1
    return token
  }

  /** Whose token it is; null where it is unknown, expired, or its account was revoked. */
  owner(token: string): KnownAccount | null {
    const grant = this.#grants.get(token)
    if (grant === undefined) return null
    const isValid = grant.endsAt > this.#now() && this.#registry.account(grant.account.email)
    if (isValid) return grant.account
    this.#grants.delete(token)
    return null
  }

  /** Makes every token invalid before its time; the number of those. */
  revokeAll(): number {
    const { size } = this.#grants
    this.#grants.clear()
    return size
  }
}
