import type { Backoff } from '@pushkeep/domain'
import type { SessionSettings } from './session.ts'

/** Times in ms. */
export interface PoolSettings extends SessionSettings {
  maxSessions: number
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

export const poolDefaults: Omit<PoolSettings, 'maxStreams'> = {
  requestTimeoutMs: 15_000,
  connectTimeoutMs: 10_000,
  pingBusyMs: 5_000,
  pingIdleMs: 60_000,
  pingTimeoutMs: 5_000,
  maxSessions: 8,
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
  connects: number
  connectFailures: number
  goaways: number
  /** Half-open connections found by PING and replaced. */
  replaced: number
  /** Requests sent again at once because the peer declared them unprocessed. */
  resent: number
  timeouts: number
}
