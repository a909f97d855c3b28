import { verify } from 'node:crypto'
import { z } from 'zod'
import { splitJwt } from '../jwt.ts'
import type { Answer } from '../network/reply.ts'
import type { CredentialRegistry, KnownAccount } from '../registry.ts'
import { type AccessTokens, EXPIRES_IN } from './access-tokens.ts'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** What client libraries name as the audience when they ignore the account's `token_uri`. */
const GOOGLE_AUDIENCE = 'https://oauth2.googleapis.com/token'
const SCOPES = [
  'https://www.googleapis.com/auth/firebase.messaging',
  'https://www.googleapis.com/auth/cloud-platform',
]
const LIFETIME_S = 3600
const CLOCK_SKEW_S = 300

const Header = z.object({ alg: z.literal('RS256') })
const Claims = z.object({
  iss: z.string(),
  aud: z.string(),
  iat: z.number(),
  exp: z.number(),
  scope: z.string(),
})

/** What the token endpoint needs. */
export interface OAuthWorld {
  registry: CredentialRegistry
  accessTokens: AccessTokens
  /** Known once the port is. */
  tokenUri: () => string
  now: () => number
}

/** Answers `POST /token`: a signed assertion in, an access token out. */
export function grantToken(world: OAuthWorld, form: string): Answer {
  const fields = new URLSearchParams(form)
  const grantType = fields.get('grant_type')
  if (grantType !== GRANT_TYPE) {
    return refusal('unsupported_grant_type', `Invalid grant_type: ${grantType ?? ''}`)
  }
  const account = readAssertion(world, fields.get('assertion') ?? '')
  if ('status' in account) return account
  return json(200, {
    access_token: world.accessTokens.issue(account),
    expires_in: EXPIRES_IN,
    token_type: 'Bearer',
  })
}

/** An error of the token endpoint. */
export function oauthError(status: number, error: string, description: string): Answer {
  return json(status, { error, error_description: description })
}

function readAssertion(world: OAuthWorld, assertion: string): KnownAccount | Answer {
  const parts = splitJwt(assertion)
  const header = Header.safeParse(parts?.header)
  const claims = Claims.safeParse(parts?.claims)
  if (parts === null || !header.success || !claims.success) {
    return refusal('invalid_grant', 'Invalid JWT: the assertion cannot be read.')
  }
  const { iss, aud, iat, exp, scope } = claims.data
  const account = world.registry.account(iss)
  if (account === undefined) return refusal('invalid_grant', 'Invalid grant: account not found')
  if (!verify('sha256', parts.signed, account.publicKey, parts.signature)) {
    return refusal('invalid_grant', 'Invalid JWT Signature.')
  }
  if (aud !== world.tokenUri() && aud !== GOOGLE_AUDIENCE) {
    return refusal('invalid_grant', 'Invalid JWT: Failed audience check.')
  }
  if (!isTimely(iat, exp, world.now() / 1000)) {
    return refusal(
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable ' +
        'timeframe. Check your iat and exp values in the JWT claim.',
    )
  }
  if (!scope.split(' ').some((name) => SCOPES.includes(name))) {
    return refusal('invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
  }
  return account
}

function isTimely(iat: number, exp: number, now: number): boolean {
  return exp > now && iat <= now + CLOCK_SKEW_S && exp - iat <= LIFETIME_S && exp > iat
}

function refusal(error: string, description: string): Answer {
  return oauthError(400, error, description)
}

function json(status: number, body: object): Answer {
  const headers = { 'content-type': 'application/json; charset=UTF-8' }
  return { status, headers, body: JSON.stringify(body) }
}
