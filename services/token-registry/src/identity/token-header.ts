import type { IncomingHttpHeaders } from 'node:http'
import { ProblemError } from '@pushkeep/runtime'
import { z } from 'zod'

/** Where a request carries its identity tokens: one, or several with commas between them. */
export const identityHeader = 'x-identity-token'

/** Most tokens of a request: a phone's queue may hold calls of several people. */
export const identityTokensMax = 10

/** The headers of a call that names a person. */
export const IdentityHeaders = z.looseObject({
  [identityHeader]: z
    .string()
    .optional()
    .describe(
      'Of a public key, where the app asks for them: JWTs signed by your backend whose `sub` is the person; several with commas between them',
    ),
})

/** Where an installation shows its secret. */
export const installationHeader = 'x-installation-secret'

/** The headers of a call about a device that may have a secret on record. */
export const DeviceHeaders = z.looseObject({
  ...IdentityHeaders.shape,
  [installationHeader]: z
    .string()
    .optional()
    .describe('The `installation_secret` that the device was registered with'),
})

/** The identity tokens of a request; whether they are any good is not known yet. */
export function identityTokensOf(headers: IncomingHttpHeaders): string[] {
  const value = headers[identityHeader]
  const text = Array.isArray(value) ? value.join(',') : (value ?? '')
  const tokens = text
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '')
  if (tokens.length > identityTokensMax) {
    const error = {
      path: 'X-Identity-Token',
      message: `must be at most ${identityTokensMax} tokens`,
    }
    throw new ProblemError(400, 'invalid_header', {
      detail: `${error.path} ${error.message}`,
      errors: [error],
    })
  }
  return tokens
}
