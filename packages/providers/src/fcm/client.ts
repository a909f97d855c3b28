import type { Outcome } from '@pushkeep/domain'
import type { FcmCredentials } from '../credentials.ts'
import { outcomeOfSilence } from '../outcome-of.ts'
import {
  type Endpoints,
  type ProviderOptions,
  type PushProvider,
  poolSettings,
} from '../provider.ts'
import { SessionPool } from '../session-pool.ts'
import { bodyFor } from '../spliced.ts'
import { classifyFcm } from './classify.ts'
import { type AccessToken, OAuthTokens } from './oauth.ts'
import type { FcmPush } from './payload.ts'

// FCM ends connections with more streams (`exceeded_max_concurrent_streams`, firebase-admin-node
// 2943). 32 of them carry 15,000 pushes a second at 200 ms an answer.
const limits = { maxStreams: 100, maxSessions: 32 }

const accepted: Outcome = { kind: 'accepted', environment: null }

/** One push on its way to its outcome, through up to two requests. */
interface Call {
  readonly body: Buffer
  readonly isUrgent: boolean
  readonly done: (outcome: Outcome) => void
  hasRenewed: boolean
}

/**
 * Sends through FCM's HTTP v1 API with one service account. Throws where its key or an endpoint is
 * not valid; a connection is opened by the first push that needs it.
 */
export function createFcmProvider(
  credentials: FcmCredentials,
  endpoints: Endpoints,
  options: ProviderOptions = {},
): PushProvider<FcmPush> {
  const now = options.now ?? Date.now
  const settings = poolSettings(options, limits)
  const tokens = new OAuthTokens({
    account: credentials.serviceAccount,
    tokenUrl: endpoints.fcmToken,
    ca: endpoints.ca,
    now,
    random: settings.random,
  })
  const pool = new SessionPool(endpoints.fcm, endpoints.ca, settings)
  const path = `/v1/projects/${encodeURIComponent(credentials.projectId)}/messages:send`

  function request(call: Call, authorization: string): void {
    const headers = [
      ':method',
      'POST',
      ':scheme',
      'https',
      ':authority',
      pool.authority,
      ':path',
      path,
      'authorization',
      authorization,
      'content-type',
      'application/json',
    ]
    pool.request(headers, call.body, call.isUrgent, (result) => {
      if (result.kind !== 'answered') call.done(outcomeOfSilence(result))
      else if (result.status === 200) call.done(accepted)
      else {
        const answer = classifyFcm(result.status, result.body, result.retryAfter, now())
        if (answer.kind === 'renew-token') renewToken(call, authorization)
        else call.done(answer)
      }
    })
  }

  function renewToken(call: Call, authorization: string): void {
    if (call.hasRenewed) {
      call.done({ kind: 'ambiguous', reason: 'UNAUTHENTICATED' })
      return
    }
    call.hasRenewed = true
    void tokens.replace(authorization).then((token) => proceed(call, token))
  }

  function proceed(call: Call, token: AccessToken): void {
    switch (token.kind) {
      case 'token':
        request(call, token.authorization)
        return
      case 'refused':
        call.done({ kind: token.isByOAuth ? 'misconfigured' : 'ambiguous', reason: token.reason })
        return
      case 'unavailable': {
        const { kind, reason } = token
        call.done({ kind, reason, afterMs: null, mayHaveArrived: false })
      }
    }
  }

  return {
    send(push, target, done) {
      const { token, isUrgent } = target
      const call = { body: bodyFor(push.body, token), isUrgent, done, hasRenewed: false }
      const authorization = tokens.current()
      if (authorization !== null) request(call, authorization)
      else void tokens.get().then((token) => proceed(call, token))
    },
    backlog: () => pool.backlog,
    stats: () => ({ fcm: pool.stats() }),
    accessToken: () => tokens.state(),
    async close(deadlineMs) {
      await Promise.all([tokens.close(), pool.close(deadlineMs)])
    },
  }
}
