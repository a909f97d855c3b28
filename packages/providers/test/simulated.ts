import { randomUUID } from 'node:crypto'
import type { Outcome } from '@pushkeep/domain'
import {
  type Behaviour,
  type FaultsPatch,
  type SimulatorOptions,
  startSimulator,
} from '@pushkeep/provider-simulator'
import { createApnsProvider } from '../src/apns/client.ts'
import { createFcmProvider } from '../src/fcm/client.ts'
import type { Endpoints, ProviderOptions, PushProvider, PushTarget } from '../src/provider.ts'
import { cleanUp } from './pool-harness.ts'

/** A simulator of its own for one test, and providers with its credentials. */
export async function simulate(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options)
  cleanUp(simulator.close)
  const { urls, caPem, credentials } = simulator
  const endpoints: Endpoints = { ...urls, ca: caPem }

  async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${urls.simulator}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`)
    return response.status === 204 ? null : response.json()
  }

  return {
    endpoints,
    credentials,
    behave: (token: string, behaviour: Behaviour, times?: number) =>
      ask('PUT', `/tokens/${token}`, { behaviour, ...(times ? { times } : {}) }),
    fault: (faults: FaultsPatch) => ask('PUT', '/faults', faults),
    revokeAccessTokens: () => ask('POST', '/oauth/revoke'),
    received: (query = '') => ask('GET', `/received?limit=10000${query}`),
    count: () => ask('GET', '/received/count'),
    duplicates: () => ask('GET', '/received/duplicates'),
    counters: () => ask('GET', '/counters'),
    apns: (options: ProviderOptions & { environment?: 'production' | 'sandbox' } = {}) => {
      const { teamId, keyId, topic, privateKeyPem: privateKey } = credentials.apns
      const environment = options.environment ?? 'production'
      const key = { teamId, keyId, topic, privateKey, environment }
      return closedLater(createApnsProvider(key, endpoints, patient(options)))
    },
    fcm: (options: ProviderOptions = {}) =>
      closedLater(createFcmProvider(credentials.fcm, endpoints, patient(options))),
  }
}

/** Bursts wait for streams as long as it takes, however slow this machine is. */
function patient<Options extends ProviderOptions>(options: Options): Options {
  return { ...options, pool: { queueTimeoutMs: 15_000, ...options.pool } }
}

export function closedLater<Push>(provider: PushProvider<Push>): PushProvider<Push> {
  cleanUp(() => provider.close(0))
  return provider
}

/** Sends one push; the parts of the target that are not given are made up. */
export function push<Push>(
  provider: PushProvider<Push>,
  rendered: Push,
  target: Partial<PushTarget> = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const ids = { token: apnsToken(), apnsId: randomUUID() }
    const made = { ...ids, environment: null, isUrgent: false }
    provider.send(rendered, { ...made, ...target }, resolve)
  })
}

let tokens = 0

/** A token that no test has used before. */
export function apnsToken(): string {
  tokens += 1
  return tokens.toString(16).padStart(64, '0')
}

export function fcmToken(): string {
  tokens += 1
  return `device${tokens}:${'a'.repeat(140)}`
}

/** How many outcomes of each kind and reason there are. */
export function kinds(outcomes: Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) {
    const key = outcome.kind === 'accepted' ? 'accepted' : `${outcome.kind} ${outcome.reason}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}
