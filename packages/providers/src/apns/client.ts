import { type Environment, type Outcome, otherEnvironment } from '@pushkeep/domain'
import type { ApnsCredentials } from '../credentials.ts'
import { outcomeOfSilence } from '../outcome-of.ts'
import {
  type Endpoints,
  type ProviderOptions,
  type PushProvider,
  type PushTarget,
  poolSettings,
} from '../provider.ts'
import { SessionPool } from '../session-pool.ts'
import { bodyFor } from '../spliced.ts'
import { type ApnsAnswer, classifyApns } from './classify.ts'
import type { ApnsPush } from './payload.ts'
import { ProviderTokenSigner } from './signer.ts'

// APNs was seen to grant 1,000 streams a connection; it says itself how many it takes.
const limits = { maxStreams: 1000, maxSessions: 8 }

const accepted: Outcome = { kind: 'accepted', environment: null }

// A key may be bound to one environment. The other one then cannot be asked about a token.
const keyBoundElsewhere = new Set([
  'BadEnvironmentKeyIdInToken',
  'BadEnvironmentKeyInToken',
  'BadCertificateEnvironment',
])

/** One push on its way to its outcome, through up to four requests. */
interface Call {
  readonly push: ApnsPush
  readonly target: PushTarget
  readonly done: (outcome: Outcome) => void
  environment: Environment
  /** The other environment has called the token none of its own. */
  isSecondEnvironment: boolean
  /** The key is not for one of the environments. */
  isKeyElsewhere: boolean
  hasRenewed: boolean
}

/**
 * Sends through APNs with one app's key: both environments, one signer. Throws where the key or an
 * endpoint is not valid; a connection is opened by the first push that needs it.
 */
export function createApnsProvider(
  credentials: ApnsCredentials,
  endpoints: Endpoints,
  options: ProviderOptions = {},
): PushProvider<ApnsPush> {
  const now = options.now ?? Date.now
  const signer = new ProviderTokenSigner(credentials, now)
  const settings = poolSettings(options, limits)
  const production = new SessionPool(endpoints.apnsProduction, endpoints.ca, settings)
  const sandbox = new SessionPool(endpoints.apnsSandbox, endpoints.ca, settings)

  function request(call: Call): void {
    const { push, target } = call
    const pool = call.environment === 'production' ? production : sandbox
    const authorization = signer.authorization()
    const headers = [
      ':method',
      'POST',
      ':scheme',
      'https',
      ':authority',
      pool.authority,
      ':path',
      `/3/device/${inPath(target.token)}`,
      'authorization',
      authorization,
      'apns-id',
      target.apnsId,
      ...push.headers,
    ]
    const body = bodyFor(push.payload, target.token)
    pool.request(headers, body, target.isUrgent, (result) => {
      if (result.kind !== 'answered') call.done(silence(call, result))
      else if (result.status === 200) call.done(acceptance(call))
      else {
        const { status, body, retryAfter } = result
        follow(call, classifyApns(status, body, retryAfter, now()), authorization)
      }
    })
  }

  /** Only the environment that the app's credentials name tells whether the provider can be reached. */
  function silence(call: Call, result: Parameters<typeof outcomeOfSilence>[0]): Outcome {
    const isUsual = call.environment === credentials.environment
    if (result.kind !== 'unreachable' || isUsual) return outcomeOfSilence(result)
    return outcomeOfSilence({ kind: 'not-processed', reason: result.reason })
  }

  function follow(call: Call, answer: ApnsAnswer, authorization: string): void {
    switch (answer.kind) {
      case 'other-environment':
        askOtherEnvironment(call)
        return
      case 'renew-token':
        renewToken(call, authorization)
        return
      case 'ambiguous':
        if (keyBoundElsewhere.has(answer.reason)) askWhereTheKeyIsFor(call, answer.reason)
        else call.done(answer)
        return
      case 'misconfigured':
        refuseKey(call, answer.reason)
        return
      case 'accepted':
      case 'token-dead':
      case 'message-refused':
      case 'throttled':
      case 'unavailable':
        call.done(answer)
    }
  }

  /**
   * The environment comes from the device, and a key may be for the other one alone. Where both were
   * asked, the refusal of one is about its key: no proof that the token is dead.
   */
  function askWhereTheKeyIsFor(call: Call, reason: string): void {
    call.isKeyElsewhere = true
    if (call.isSecondEnvironment) call.done({ kind: 'ambiguous', reason: 'BadDeviceToken' })
    else if (call.environment === credentials.environment) call.done({ kind: 'ambiguous', reason })
    else askOtherEnvironment(call)
  }

  /**
   * Only the environment that the credentials name speaks for the lane: the other one was chosen by a
   * device, and one device must not have the key called wrong.
   */
  function refuseKey(call: Call, reason: string): void {
    if (call.environment === credentials.environment) call.done({ kind: 'misconfigured', reason })
    else askWhereTheKeyIsFor(call, reason)
  }

  function askOtherEnvironment(call: Call): void {
    if (call.isSecondEnvironment) {
      const reason = 'BadDeviceToken'
      call.done(
        call.isKeyElsewhere
          ? { kind: 'ambiguous', reason }
          : { kind: 'token-dead', reason, since: null },
      )
      return
    }
    call.isSecondEnvironment = true
    call.environment = otherEnvironment(call.environment)
    request(call)
  }

  function renewToken(call: Call, authorization: string): void {
    if (call.hasRenewed || !signer.renew(authorization)) {
      refuseKey(call, 'ExpiredProviderToken')
      return
    }
    call.hasRenewed = true
    request(call)
  }

  return {
    send(push, target, done) {
      const environment = target.environment ?? credentials.environment
      const isSecondEnvironment = false
      const fresh = { isSecondEnvironment, isKeyElsewhere: false, hasRenewed: false }
      request({ push, target, done, environment, ...fresh })
    },
    backlog: () => production.backlog + sandbox.backlog,
    stats: () => ({ production: production.stats(), sandbox: sandbox.stats() }),
    accessToken: () => null,
    async close(deadlineMs) {
      await Promise.all([production.close(deadlineMs), sandbox.close(deadlineMs)])
    },
  }
}

/** Which environment took it is news only where the other one was asked first. */
function acceptance({ isSecondEnvironment, environment }: Call): Outcome {
  return isSecondEnvironment ? { kind: 'accepted', environment } : accepted
}

/** A token is hex; anything else must not change what the path means. */
function inPath(token: string): string {
  return /^[\w-]+$/.test(token) ? token : encodeURIComponent(token.toWellFormed())
}
