import type { ApnsEnvironment } from '../registry.ts'

export type ProviderName = 'apns' | 'fcm'

/** The three endpoints a push can arrive at; the order is the code kept in the journal. */
export const SOURCES = [
  { provider: 'apns', environment: 'production' },
  { provider: 'apns', environment: 'sandbox' },
  { provider: 'fcm', environment: null },
] as const satisfies { provider: ProviderName; environment: ApnsEnvironment | null }[]

export const SOURCE_CODE = { production: 0, sandbox: 1, fcm: 2 } as const
export type SourceCode = (typeof SOURCE_CODE)[keyof typeof SOURCE_CODE]

/** What tells a repeat from a new push: the field whose second occurrence for a token is a duplicate. */
export const REPEAT_BY = { nothing: 0, apnsId: 1, collapseId: 2, messageId: 3 } as const
export type RepeatBy = (typeof REPEAT_BY)[keyof typeof REPEAT_BY]

/** What became of a request. A lost one was accepted, but its answer never left. */
export const FATE = { refused: 0, accepted: 1, lost: 2 } as const
export type Fate = (typeof FATE)[keyof typeof FATE]

/** One request that arrived in full. */
export interface Arrival {
  source: SourceCode
  connection: number
  token: string
  /** `apns-id`, or the last part of the FCM message name. */
  id: string
  collapseId: string
  messageId: string
  repeatBy: RepeatBy
  topic: string
  pushType: string
  body: Buffer | null
}
