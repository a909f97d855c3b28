import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { Backoff } from '@pushkeep/domain'
import { z } from 'zod'
import type { ServiceAccount } from '../credentials.ts'
import { FailurePause } from '../failure-pause.ts'
import type { AccessTokenState } from '../provider.ts'
import { postForm } from './post-form.ts'

/** An access token, or why there is none now. */
export type AccessToken =
  | { kind: 'token'; authorization: string }
  /** About us: key revoked, clock wrong, account deleted. */
  /** By OAuth, which is about the service account alone, or a renewed token by FCM. */
  | { kind: 'refused'; reason: string; isByOAuth: boolean }
  | { kind: 'unavailable'; reason: string }

export interface OAuthOptions {
  account: ServiceAccount
  tokenUrl: string
  ca?: string | undefined
  /** ms since the epoch. */
  now: () => number
  random: () => number
  timeoutMs?: number | undefined
}

const scope = 'https://www.googleapis.com/auth/firebase.messaging'

/** Renewed in the background from this share of its life on. */
const renewAtShare = 0.8

const failureBackoff: Backoff = { firstMs: 1_000, capMs: 60_000 }

// A token that FCM does not take is replaced at most so often: if the new one is no better, the
// fault is not the token's.
const replaceAtMostEveryMs = 60_000

const TokenBody = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })
const ErrorBody = z.object({ error: z.string().regex(/^[a-z_]{1,40}$/) })

/**
 * Fetches and keeps the access token of one service account: one fetch at a time, renewed early,
 * and the old one kept while it is valid, whatever becomes of its successor.
 * https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export class OAuthTokens {
  readonly #options: OAuthOptions
  readonly #pause: FailurePause
  readonly #key: KeyObject
  readonly #closing = new AbortController()
  #authorization = ''
  #renewAt = Number.NEGATIVE_INFINITY
  #expiresAt = Number.NEGATIVE_INFINITY
  #replacedAt = Number.NEGATIVE_INFINITY
  #fetch: Promise<AccessToken> | null = null
  #lastFailure: AccessToken | null = null

  /** Throws where the account's key is not PEM. */
  constructor(options: OAuthOptions) {
    this.#options = options
    this.#pause = new FailurePause(failureBackoff, options.now, options.random)
    this.#key = createPrivateKey(options.account.private_key)
  }

  /** The header to send now, if there is one; renews behind the scenes when it grows old. */
  current(): string | null {
    const now = this.#options.now()
    if (now >= this.#expiresAt) return null
    if (now >= this.#renewAt) void this.#renew()
    return this.#authorization
  }

  /** The header, fetched where there is none. Never rejects. */
  async get(): Promise<AccessToken> {
    const authorization = this.current()
    return authorization === null ? this.#renew() : { kind: 'token', authorization }
  }

  /**
   * Another one, because FCM did not take `refused`; a newer one in use serves as it is. Twice
   * within a minute is refused. Never rejects.
   */
  async replace(refused: string): Promise<AccessToken> {
    if (refused !== this.#authorization) return this.get()
    const now = this.#options.now()
    if (now - this.#replacedAt >= replaceAtMostEveryMs) {
      this.#replacedAt = now
      this.#expiresAt = Number.NEGATIVE_INFINITY
    }
    const isReplaced = this.#expiresAt === Number.NEGATIVE_INFINITY
    return isReplaced
      ? this.#renew()
      : { kind: 'refused', reason: 'UNAUTHENTICATED', isByOAuth: false }
  }

  /** How the token in use stands. */
  state(): AccessTokenState {
    const isValid = this.#options.now() < this.#expiresAt
    return {
      expiresAt: isValid ? this.#expiresAt : null,
      isRenewalFailing: this.#lastFailure !== null,
    }
  }

  /** Stops a fetch under way; resolves when whoever waits for it was told that there is none. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#fetch
  }

  #renew(): Promise<AccessToken> {
    const isTooSoon = !this.#pause.isOver
    if (this.#lastFailure && isTooSoon && !this.#fetch) return Promise.resolve(this.#lastFailure)
    this.#fetch ??= this.#fetchToken().finally(() => {
      this.#fetch = null
    })
    return this.#fetch
  }

  async #fetchToken(): Promise<AccessToken> {
    const askedAt = this.#options.now()
    try {
      const { status, body } = await this.#post(askedAt)
      const token = TokenBody.safeParse(parseJson(body))
      if (status !== 200 || !token.success) return this.#failed(refusalOf(status, body))
      const lifeMs = token.data.expires_in * 1000
      this.#authorization = `Bearer ${token.data.access_token}`
      this.#expiresAt = askedAt + lifeMs
      this.#renewAt = askedAt + lifeMs * renewAtShare
      this.#pause.succeeded()
      this.#lastFailure = null
      return { kind: 'token', authorization: this.#authorization }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
      return this.#failed({ kind: 'unavailable', reason: `oauth ${code}` })
    }
  }

  #failed(failure: AccessToken): AccessToken {
    this.#pause.failed()
    this.#lastFailure = failure
    return failure
  }

  #post(now: number): Promise<{ status: number; body: string }> {
    const { tokenUrl, ca, timeoutMs = 10_000 } = this.#options
    return postForm({
      url: tokenUrl,
      ca,
      form: {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: this.#assertion(now),
      },
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)]),
    })
  }

  #assertion(now: number): string {
    const { account, tokenUrl } = this.#options
    const issuedAt = Math.floor(now / 1000)
    const header = encode({ alg: 'RS256', typ: 'JWT', kid: account.private_key_id })
    const claims = encode({
      iss: account.client_email,
      scope,
      aud: tokenUrl,
      iat: issuedAt,
      exp: issuedAt + 3600,
    })
    const signature = sign('sha256', Buffer.from(`${header}.${claims}`), this.#key)
    return `${header}.${claims}.${signature.toString('base64url')}`
  }
}

/** 4xx is about us (`invalid_grant`: a revoked key, a wrong clock); anything else passes. */
function refusalOf(status: number, body: string): AccessToken {
  const error = ErrorBody.safeParse(parseJson(body)).data?.error ?? `HTTP ${status}`
  const isOurs = status >= 400 && status < 500 && status !== 408 && status !== 429
  const reason = `oauth ${error}`
  return isOurs ? { kind: 'refused', reason, isByOAuth: true } : { kind: 'unavailable', reason }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
