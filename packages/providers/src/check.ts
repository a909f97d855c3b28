import { randomUUID } from 'node:crypto'
import type { CredentialFinding, Outcome } from '@pushkeep/domain'
import { createApnsProvider } from './apns/client.ts'
import { renderApns } from './apns/payload.ts'
import type { ApnsCredentials, FcmCredentials } from './credentials.ts'
import { createFcmProvider } from './fcm/client.ts'
import type { Endpoints, ProviderOptions, PushProvider } from './provider.ts'
import { spliced } from './spliced.ts'

// Well-formed, and nobody's: a provider looks at the credentials first and refuses the token then.
const nobody = { apns: '0'.repeat(64), fcm: 'pushkeep-credential-check' }

const closeDeadlineMs = 1000

/**
 * Asks both of APNs' environments whether they take a key, by a silent push to nobody's token. That
 * the topic is the right one for a given token, only a push to that token shows.
 */
export async function checkApns(
  credentials: ApnsCredentials,
  endpoints: Endpoints,
  options: ProviderOptions = {},
): Promise<CredentialFinding[]> {
  const message = {
    id: randomUUID(),
    content: {},
    priority: 'normal',
    collapseId: null,
    expiresAt: 0,
    ttlSeconds: 0,
    sdkKeys: false,
  } as const
  const ask = async (place: 'production' | 'sandbox', url: string) => {
    // Both environments are the same host here: what the other one says is not asked.
    const only = { ...endpoints, apnsProduction: url, apnsSandbox: url }
    const provider = createApnsProvider(credentials, only, options)
    return finding(
      place,
      await outcomeOf(provider, renderApns(message, credentials.topic), nobody.apns),
    )
  }
  return Promise.all([
    ask('production', endpoints.apnsProduction),
    ask('sandbox', endpoints.apnsSandbox),
  ])
}

/** Asks FCM whether it takes a service account, by a push that it only validates. */
export async function checkFcm(
  credentials: FcmCredentials,
  endpoints: Endpoints,
  options: ProviderOptions = {},
): Promise<CredentialFinding[]> {
  const push = { body: spliced('{"validate_only":true,"message":{"token":"', '"}}') }
  const provider = createFcmProvider(credentials, endpoints, options)
  return [finding('fcm', await outcomeOf(provider, push, nobody.fcm))]
}

async function outcomeOf<Push>(
  provider: PushProvider<Push>,
  push: Push,
  token: string,
): Promise<Outcome> {
  try {
    return await new Promise((resolve) => {
      const target = {
        token,
        apnsId: randomUUID(),
        environment: 'production',
        isUrgent: true,
      } as const
      provider.send(push, target, resolve)
    })
  } finally {
    await provider.close(closeDeadlineMs)
  }
}

/** A verdict about the token or the message comes after the credentials were taken. */
function finding(place: CredentialFinding['place'], outcome: Outcome): CredentialFinding {
  switch (outcome.kind) {
    case 'accepted':
    case 'token-dead':
    case 'message-refused':
    case 'throttled':
      return { place, answer: 'works', reason: null }
    case 'misconfigured':
    case 'ambiguous':
      return { place, answer: 'refused', reason: outcome.reason }
    case 'unavailable':
    case 'unsent':
      return { place, answer: 'unreachable', reason: outcome.reason }
  }
}
