import type { Environment, MessageContent, Outcome } from '@pushkeep/domain'
import { type PoolSettings, type PoolStats, poolDefaults } from './pool-settings.ts'

/** Where the providers are: https origins, and the full URL of the token endpoint. */
export interface Endpoints {
  apnsProduction: string
  apnsSandbox: string
  fcm: string
  fcmToken: string
  /** PEM of the one authority to trust instead of the public roots. */
  ca?: string
}

/** The real hosts. */
export const providerEndpoints: Endpoints = {
  // https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
  apnsProduction: 'https://api.push.apple.com',
  apnsSandbox: 'https://api.sandbox.push.apple.com',
  // https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
  fcm: 'https://fcm.googleapis.com',
  // https://developers.google.com/identity/protocols/oauth2/service-account#httprest
  fcmToken: 'https://oauth2.googleapis.com/token',
}

/** What a message says and how, as the renderers need it. */
export interface MessageToRender extends MessageContent {
  /** The message's UUID. */
  id: string
  priority: 'high' | 'normal'
  /** Pushes with the same one replace one another; null: none. */
  collapseId: string | null
  /** ms since the epoch. */
  expiresAt: number
  /** 0: one try, now; the provider keeps nothing for later. */
  ttlSeconds: number
  /** Whether what it shows carries the keys that Customer.io's SDKs need. */
  sdkKeys: boolean
}

/** To whom one push goes. */
export interface PushTarget {
  token: string
  /** A UUID in lowercase, the same for each try of a delivery (R5). FCM has no place for it. */
  apnsId: string
  /** The APNs host that the token belongs to; null: not known yet. */
  environment: Environment | null
  /** Does not wait behind a broadcast. */
  isUrgent: boolean
}

/** An access token that has to be fetched anew from time to time. */
export interface AccessTokenState {
  /** ms since the epoch; null: there is none now. */
  expiresAt: number | null
  /** The last attempt to fetch one has failed. */
  isRenewalFailing: boolean
}

/** A connection to a provider with one app's credentials. */
export interface PushProvider<Push> {
  /**
   * Sends one push. `done` is called exactly once, after `send` has returned; whatever goes wrong
   * is an outcome. Never throws. By default a request waits at most 1 s for a stream and 15 s for
   * its answer; a push is one request, seldom two (other environment, renewed token), never over
   * four.
   */
  send(push: Push, target: PushTarget, done: (outcome: Outcome) => void): void
  /** Pushes that wait for others to be answered, without the urgent ones: a reason to bring no more. */
  backlog(): number
  /** By connection pool: `production` and `sandbox`, or `fcm`. */
  stats(): Record<string, PoolStats>
  /** How the access token in use stands; null where the provider has none (APNs). */
  accessToken(): AccessTokenState | null
  /** Takes no more, finishes what is in flight for at most `deadlineMs`, ends the sessions. */
  close(deadlineMs: number): Promise<void>
}

/** What a provider may be told; every part has a default. */
export interface ProviderOptions {
  /** Wall clock, ms since the epoch. */
  now?: () => number
  pool?: Partial<PoolSettings>
}

/** The pool's settings: ours, over them the provider's limits, over them what the caller wants. */
export function poolSettings(
  options: ProviderOptions,
  limits: Pick<PoolSettings, 'maxStreams' | 'maxSessions'>,
): PoolSettings {
  return { ...poolDefaults, ...limits, ...options.pool }
}

/** What is wrong with uploaded credentials or a payload. Never repeats a secret. */
export interface Flaw {
  path: string
  message: string
}
