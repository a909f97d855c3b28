import type { RefusalAnswer } from '../perform.ts'
import type { CredentialRegistry } from '../registry.ts'
import type { AccessTokens } from './access-tokens.ts'
import { gatewayError } from './errors.ts'

const METHOD = 'google.firebase.fcm.v1.FcmService.SendMessage'

/** Null where the bearer may send for the project. None of these errors says anything of a token. */
export function checkBearer(
  world: { accessTokens: AccessTokens; registry: CredentialRegistry },
  authorization: string,
  projectId: string,
): RefusalAnswer | null {
  const token = /^bearer +(\S+)$/i.exec(authorization)?.[1]
  const account = token === undefined ? null : world.accessTokens.owner(token)
  if (account === null) return unauthenticated(token === undefined)
  if (!world.registry.hasProject(projectId)) {
    return gatewayError(404, 'Requested entity was not found.')
  }
  return account.projectId === projectId ? null : permissionDenied(projectId)
}

function unauthenticated(isMissing: boolean): RefusalAnswer {
  return gatewayError(
    401,
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login ' +
      'cookie or other valid authentication credential. See ' +
      'https://developers.google.com/identity/sign-in/web/devconsole-project.',
    {
      reason: isMissing ? 'CREDENTIALS_MISSING' : 'ACCESS_TOKEN_TYPE_UNSUPPORTED',
      metadata: { service: 'fcm.googleapis.com', method: METHOD },
    },
  )
}

function permissionDenied(projectId: string): RefusalAnswer {
  const resource = `//cloudresourcemanager.googleapis.com/projects/${projectId}`
  const permission = 'cloudmessaging.messages.create'
  return gatewayError(
    403,
    `Permission '${permission}' denied on resource '${resource}' (or it may not exist).`,
    { reason: 'IAM_PERMISSION_DENIED', metadata: { resource, permission } },
  )
}
