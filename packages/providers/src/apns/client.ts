import { type Environment, type Outcome, otherEnvironment } from '@pushkeep/domain'
import type { ApnsCredentials } from '../credentials.ts'
import { type PoolSettings, poolDefaults } from '../pool-settings.ts'
import type { Endpoints, PushProvider, PushTarget } from '../provider.ts'
import { SessionPool } from '../session-pool.ts'
import { unansweredOutcome } from '../unanswered.ts'
import { classifyApns } from './classify.ts'
import type { ApnsPush } from './payload.ts'
import { ProviderTokenSigner } from './signer.ts'

export interface ProviderOptions {
  /** Wall clock, ms since the epoch. */
  now?: () => number
  pool?: Partial<PoolSettings>
}

/** APNs grants 1,000 streams a connection. */
const maxStreams = 1000

interface Call {
  push: ApnsPush
  target: PushTarget
  environment: Environment
  /** The environment that has refused the token already. */
  refusedBy: Environment | null
  hasRenewed: boolean
  done: (outcome: Outcome) => void
}

/** Sends through APNs with one app's key: both environments, one signer. */
export function createApnsProvider(
  credentials: ApnsCredentials,
  endpoints: Endpoints,
  options: ProviderOptions = {},
): PushProvider<ApnsPush> {
  const now = options.now ?? Date.now
  const signer = new ProviderTokenSigner(credentials, now)
  const settings = { ...poolDefaults, maxStreams, ...options.pool }
  const pools = {
    production: new SessionPool(endpoints.apnsProduction, endpoints.ca, settings),
    sandbox: new SessionPool(endpoints.apnsSandbox, endpoints.ca, settings),
  }

  function attempt(call: Call): void {
    const { push, target, environment } = call
    const authorization = signer.authorization()
    const headers = [
      ':method',
      'POST',
      ':path',
      `/3/device/${target.token}`,
      'authorization',
      authorization,
      'apns-id',
      target.apnsId,
      ...push.headers,
    ]
    pools[environment].request(headers, push.payload, (result) => {
      if (result.kind !== 'answered') call.done(unansweredOutcome(result))
      else if (result.status === 200) call.done(acceptedBy(call))
      else
        follow(
          call,
          classifyApns(result.status, result.body, result.retryAfter, now()),
          authorization,
        )
    })
  }

  function follow(
    call: Call,
    answer: ReturnType<typeof classifyApns>,
    authorization: string,
  ): void {
    switch (answer.kind) {
      case 'other-environment': {
        const { environment, refusedBy } = call
        if (refusedBy !== null) {
          call.done({ kind: 'token-dead', reason: 'BadDeviceToken', since: null })
          return
        }
        call.refusedBy = environment
        call.environment = otherEnvironment(environment)
        attempt(call)
        return
      }
      case 'renew-token':
        if (call.hasRenewed || !signer.renew(authorization)) {
          call.done({ kind: 'misconfigured', reason: 'ExpiredProviderToken' })
          return
        }
        call.hasRenewed = true
        attempt(call)
        return
      default:
        call.done(answer)
    }
  }

  return {
    send(push, target, done) {
      const environment = target.environment ?? credentials.environment
      attempt({ push, target, environment, refusedBy: null, hasRenewed: false, done })
    },
    stats: () => ({ production: pools.production.stats(), sandbox: pools.sandbox.stats() }),
    async close(deadlineMs) {
      await Promise.all(Object.values(pools).map((pool) => pool.close(deadlineMs)))
    },
  }
}

const accepted: Outcome = { kind: 'accepted', environment: null }

/** Which environment took it is news only where the other one was asked first. */
function acceptedBy(call: Call): Outcome {
  return call.refusedBy === null ? accepted : { kind: 'accepted', environment: call.environment }
}
