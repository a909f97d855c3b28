import type { ApnsFaults } from '../faults.ts'
import type { ApnsEnvironment, CredentialRegistry } from '../registry.ts'
import type { ProviderToken, ProviderTokens } from './provider-token.ts'
import type { ApnsReason } from './reasons.ts'

const LIFETIME_MS = 3_600_000
const UPDATE_INTERVAL_MS = 20 * 60_000
/** Clocks differ; a token from further in the future is not believed. */
const CLOCK_SKEW_MS = 5 * 60_000

/** What authorization needs to know beyond the connection. */
export interface AuthorizationWorld {
  registry: CredentialRegistry
  tokens: ProviderTokens
  faults: ApnsFaults
  environment: ApnsEnvironment
  now: () => number
}

/** The provider tokens of one connection: APNs binds it to the first team and key it sees. */
export class ConnectionAuthorization {
  readonly #world: AuthorizationWorld
  readonly #onValid: () => void
  #header = ''
  #version = -1
  #current: ProviderToken | null = null
  #renewedAt = Number.NEGATIVE_INFINITY

  /** `onValid` is called at the connection's first valid token. */
  constructor(world: AuthorizationWorld, onValid: () => void) {
    this.#world = world
    this.#onValid = onValid
  }

  /** The team whose token was presented last. */
  get teamId(): string {
    return this.#current?.teamId ?? ''
  }

  /** Null where the request may go on. */
  check(header: string | undefined): ApnsReason | null {
    const { registry, now } = this.#world
    // Almost every request repeats the header of the one before it.
    if (header !== this.#header || this.#version !== registry.version) {
      const refused = this.#present(header)
      if (refused !== null) return refused
    }
    const age = now() - (this.#current?.issuedAtMs ?? 0)
    return age > LIFETIME_MS ? 'ExpiredProviderToken' : null
  }

  #present(header: string | undefined): ApnsReason | null {
    if (header === undefined || header === '') return 'MissingProviderToken'
    const { registry, tokens, faults, environment, now } = this.#world
    const jwt = /^bearer +(\S+)$/i.exec(header)?.[1]
    const token = jwt === undefined ? null : tokens.read(jwt)
    if (token === null) return 'InvalidProviderToken'
    const age = now() - token.issuedAtMs
    if (age > LIFETIME_MS) return 'ExpiredProviderToken'
    if (age < -CLOCK_SKEW_MS) return 'InvalidProviderToken'
    if (token.environment !== null && token.environment !== environment) {
      return 'BadEnvironmentKeyIdInToken'
    }
    const before = this.#current
    if (before !== null && before.keyId !== token.keyId) return 'UnrelatedKeyIdInToken'
    if (before !== null && header !== this.#header) {
      const tooSoon = now() - this.#renewedAt < UPDATE_INTERVAL_MS
      if (faults.limit_provider_token_updates && tooSoon) return 'TooManyProviderTokenUpdates'
    }
    if (header !== this.#header) this.#renewedAt = now()
    this.#header = header
    this.#version = registry.version
    this.#current = token
    if (before === null) this.#onValid()
    return null
  }
}
