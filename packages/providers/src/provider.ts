import type { Environment, MessageContent, Outcome } from '@pushkeep/domain'
import type { PoolStats } from './pool-settings.ts'

/** Where the providers are; `ca` is a PEM certificate to trust instead of the public roots. */
export interface Endpoints {
  apnsProduction: string
  apnsSandbox: string
  fcm: string
  fcmToken: string
  ca?: string
}

/** The real hosts. */
export const providerEndpoints: Endpoints = {
  apnsProduction: 'https://api.push.apple.com',
  apnsSandbox: 'https://api.sandbox.push.apple.com',
  fcm: 'https://fcm.googleapis.com',
  fcmToken: 'https://oauth2.googleapis.com/token',
}

/** What a message says and how, as the renderers need it. Times in ms since the epoch. */
export interface MessageToRender extends MessageContent {
  /** The message's UUID. */
  id: string
  priority: 'high' | 'normal'
  /** Pushes with the same one replace one another; null: none. */
  collapseId: string | null
  expiresAt: number
  ttlSeconds: number
}

/** To whom one push goes. */
export interface PushTarget {
  token: string
  /** A UUID, the same for each try of a delivery. */
  apnsId: string
  /** null: not known yet. */
  environment: Environment | null
}

/** A connection to a provider with one app's credentials. */
export interface PushProvider<Push> {
  /** Sends one push. `done` is called exactly once, later, whatever happens; it never throws. */
  send(push: Push, target: PushTarget, done: (outcome: Outcome) => void): void
  stats(): Record<string, PoolStats>
  /** Takes no more, finishes what is in flight for at most `deadlineMs`, ends the sessions. */
  close(deadlineMs: number): Promise<void>
}

/** What is wrong with uploaded credentials or a payload. Never repeats a secret. */
export interface Flaw {
  path: string
  message: string
}
