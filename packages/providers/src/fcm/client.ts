import type { Outcome } from '@pushkeep/domain'
import type { ProviderOptions } from '../apns/client.ts'
import type { FcmCredentials } from '../credentials.ts'
import { poolDefaults } from '../pool-settings.ts'
import type { Endpoints, PushProvider, PushTarget } from '../provider.ts'
import { SessionPool } from '../session-pool.ts'
import { unansweredOutcome } from '../unanswered.ts'
import { classifyFcm } from './classify.ts'
import { type AccessToken, OAuthTokens } from './oauth.ts'
import type { FcmPush } from './payload.ts'

/** FCM grants about 100 streams a connection. */
const maxStreams = 100

/** Sends through FCM's HTTP v1 API with one service account. */
export function createFcmProvider(
  credentials: FcmCredentials,
  endpoints: Endpoints,
  options: ProviderOptions = {},
): PushProvider<FcmPush> {
  const now = options.now ?? Date.now
  const settings = { ...poolDefaults, maxStreams, ...options.pool }
  const tokens = new OAuthTokens({
    account: credentials.serviceAccount,
    tokenUrl: endpoints.fcmToken,
    ca: endpoints.ca,
    now,
    random: settings.random,
  })
  const pool = new SessionPool(endpoints.fcm, endpoints.ca, settings)
  const path = `/v1/projects/${credentials.projectId}/messages:send`

  function attempt(
    body: Buffer,
    authorization: string,
    hasRenewed: boolean,
    done: (outcome: Outcome) => void,
  ): void {
    const headers = [
      ':method',
      'POST',
      ':path',
      path,
      'authorization',
      authorization,
      'content-type',
      'application/json',
    ]
    pool.request(headers, body, (result) => {
      if (result.kind !== 'answered') {
        done(unansweredOutcome(result))
        return
      }
      const answer = classifyFcm(result.status, result.body, result.retryAfter, now())
      if (answer.kind !== 'renew-token') done(answer)
      else if (hasRenewed) done({ kind: 'misconfigured', reason: 'UNAUTHENTICATED' })
      else {
        void tokens.replace(authorization).then((token) => proceed(body, token, true, done))
      }
    })
  }

  function proceed(
    body: Buffer,
    token: AccessToken,
    hasRenewed: boolean,
    done: (outcome: Outcome) => void,
  ): void {
    switch (token.kind) {
      case 'token':
        attempt(body, token.authorization, hasRenewed, done)
        return
      case 'refused':
        done({ kind: 'misconfigured', reason: token.reason })
        return
      case 'unavailable': {
        const { reason } = token
        done({ kind: 'unavailable', reason, afterMs: null, mayHaveArrived: false })
      }
    }
  }

  return {
    send(push: FcmPush, target: PushTarget, done) {
      const body = Buffer.from(push.before + JSON.stringify(target.token).slice(1, -1) + push.after)
      const authorization = tokens.current()
      if (authorization !== null) attempt(body, authorization, false, done)
      else void tokens.get().then((token) => proceed(body, token, false, done))
    },
    stats: () => ({ fcm: pool.stats() }),
    close: (deadlineMs) => pool.close(deadlineMs),
  }
}
