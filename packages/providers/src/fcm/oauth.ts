import { createPrivateKey, sign } from 'node:crypto'
import { request } from 'node:https'
import { type Backoff, backoffMs } from '@pushkeep/domain'
import { z } from 'zod'
import type { ServiceAccount } from '../credentials.ts'

/** An access token, or why there is none now. */
export type AccessToken =
  | { kind: 'token'; authorization: string }
  /** The account is refused: key revoked, clock wrong, account deleted. */
  | { kind: 'refused'; reason: string }
  | { kind: 'unavailable'; reason: string }

export interface OAuthOptions {
  account: ServiceAccount
  tokenUrl: string
  ca?: string | undefined
  now: () => number
  random: () => number
  timeoutMs?: number
}

const scope = 'https://www.googleapis.com/auth/firebase.messaging'

/** Renewed in the background from this share of its life on. */
const renewAtShare = 0.8

const failureBackoff: Backoff = { firstMs: 500, capMs: 30_000 }

const TokenBody = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })
const ErrorBody = z.object({ error: z.string().regex(/^[a-z_]{1,60}$/) })

// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
/** Fetches and keeps the access token of one service account: one fetch at a time, early renewal. */
export class OAuthTokens {
  readonly #options: OAuthOptions
  #authorization = ''
  #renewAt = 0
  #expiresAt = 0
  #fetch: Promise<AccessToken> | null = null
  #failures = 0
  #notBefore = 0
  #lastFailure: AccessToken | null = null

  constructor(options: OAuthOptions) {
    this.#options = options
  }

  /** The header to send now if there is one; renews behind the scenes when it grows old. */
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

  /** Fetches another one, because `refused` was not taken; a newer one in use serves as it is. */
  async replace(refused: string): Promise<AccessToken> {
    if (refused === this.#authorization) this.#expiresAt = 0
    return this.get()
  }

  #renew(): Promise<AccessToken> {
    const now = this.#options.now()
    if (this.#lastFailure && now < this.#notBefore) return Promise.resolve(this.#lastFailure)
    this.#fetch ??= this.#fetchToken().finally(() => {
      this.#fetch = null
    })
    return this.#fetch
  }

  async #fetchToken(): Promise<AccessToken> {
    const asked = this.#options.now()
    const answer = await this.#ask(asked)
    if (answer.kind === 'failed') return this.#failed(answer.failure)
    this.#failures = 0
    this.#lastFailure = null
    this.#authorization = `Bearer ${answer.token}`
    this.#expiresAt = asked + answer.lifeMs
    this.#renewAt = asked + answer.lifeMs * renewAtShare
    return { kind: 'token', authorization: this.#authorization }
  }

  #failed(failure: AccessToken): AccessToken {
    this.#failures += 1
    const { now, random } = this.#options
    this.#notBefore = now() + backoffMs(failureBackoff, this.#failures, random)
    this.#lastFailure = failure
    return failure
  }

  async #ask(now: number) {
    try {
      const { status, body } = await this.#post(this.#assertion(now))
      const token = TokenBody.safeParse(parseJson(body))
      if (status === 200 && token.success) {
        const { access_token, expires_in } = token.data
        return { kind: 'fetched' as const, token: access_token, lifeMs: expires_in * 1000 }
      }
      const reason = ErrorBody.safeParse(parseJson(body)).data?.error ?? `oauth status ${status}`
      const isOurs = status >= 400 && status < 500 && status !== 429
      return failed({ kind: isOurs ? 'refused' : 'unavailable', reason })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
      return failed({ kind: 'unavailable', reason: `oauth ${code}` })
    }
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
    const text = `${header}.${claims}`
    const signature = sign('sha256', Buffer.from(text), createPrivateKey(account.private_key))
    return `${text}.${signature.toString('base64url')}`
  }

  #post(assertion: string): Promise<{ status: number; body: string }> {
    const { tokenUrl, ca, timeoutMs = 10_000 } = this.#options
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
    }).toString()
    return new Promise((resolve, reject) => {
      const outgoing = request(
        tokenUrl,
        {
          method: 'POST',
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': Buffer.byteLength(form),
          },
          signal: AbortSignal.timeout(timeoutMs),
          ...(ca === undefined ? {} : { ca }),
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () => {
            const body = Buffer.concat(chunks).toString('utf8')
            resolve({ status: incoming.statusCode ?? 0, body })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(form)
    })
  }
}

function failed(failure: AccessToken) {
  return { kind: 'failed' as const, failure }
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
