import type { Backoff } from '@pushkeep/domain'
import type { PaceSettings } from './pace.ts'
import type { SessionSettings } from './session.ts'

/** Times in ms. */
export interface PoolSettings extends SessionSettings, PaceSettings {
  maxSessions: number
  /** How long a request may wait for a stream, or come back unprocessed, before it is `unsent`. */
  queueTimeoutMs: number
  /** How long a request waits before one more session is opened for want of streams. */
  growAfterMs: number
  /** How long load must have fitted into fewer sessions before one of them is closed. */
  surplusAfterMs: number
  /** Waiting time between connection attempts that failed; jitter takes up to half of it off. */
  connectBackoff: Backoff
  /** How often a request whose stream the peer refuses is sent again at once. */
  refusalsMax: number
  random: () => number
}

export const poolDefaults: Omit<PoolSettings, 'maxStreams' | 'maxSessions'> = {
  requestTimeoutMs: 15_000,
  // What a device was when its push was claimed must still hold when the push leaves (R6).
  queueTimeoutMs: 1000,
  // 8 cost half as much CPU a push again as 64, and more than 64 no less (node:http2, one connection); of
  // 48 a kill leaves a fourth less in doubt.
  inFlightMin: 48,
  inFlightStart: 2,
  connectTimeoutMs: 10_000,
  pingBusyMs: 5_000,
  pingIdleMs: 60_000,
  pingTimeoutMs: 5_000,
  growAfterMs: 25,
  surplusAfterMs: 60_000,
  connectBackoff: { firstMs: 200, capMs: 5_000 },
  refusalsMax: 5,
  clock: () => performance.now(),
  random: Math.random,
}

/** Sizes now, and what happened since the start. */
export interface PoolStats {
  sessions: number
  streams: number
  queued: number
  /** Requests that may be in flight, but for urgent ones. */
  limit: number
  connects: number
  connectFailures: number
  goaways: number
  /** Half-open connections found by PING and replaced. */
  replaced: number
  /** Requests sent again at once because the peer declared them unprocessed. */
  resent: number
  timeouts: number
}
