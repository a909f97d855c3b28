/** How much of each request is kept: every entry with its payload, or counts only. */
export type JournalMode = 'full' | 'count'

/** Ports of the four listeners; 0 lets the system choose a free one. */
export interface SimulatorPorts {
  admin: number
  apnsProduction: number
  apnsSandbox: number
  fcm: number
}

/** What `startSimulator` can be told; every part has a default. */
export interface SimulatorOptions {
  /** Address to listen on. Default 127.0.0.1. */
  host?: string | undefined
  /** Default 0 for each: a free port. */
  ports?: Partial<SimulatorPorts> | undefined
  /** Folder that keeps the CA and the credentials between runs. Without it both live in memory. */
  stateDir?: string | undefined
  /** Default `full`. */
  journal?: JournalMode | undefined
  /** Entries the full journal keeps before it drops the oldest. Default 2,000,000. */
  journalLimit?: number | undefined
  /** SETTINGS_MAX_CONCURRENT_STREAMS of APNs. Default 1000. */
  maxConcurrentStreams?: number | undefined
  /** SETTINGS_MAX_CONCURRENT_STREAMS of FCM. Default 100. */
  fcmMaxConcurrentStreams?: number | undefined
  /** Seed of the random share of failing requests, so that a run can be repeated. Default 1. */
  seed?: number | undefined
  /** Clock in ms since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

export const JOURNAL_LIMIT = 2_000_000
export const APNS_STREAMS = 1000
export const FCM_STREAMS = 100
