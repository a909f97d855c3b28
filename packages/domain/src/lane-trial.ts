/** One delivery that a worker tried while its lane was paused, and what the provider said. */
export interface Tried {
  messageId: string
  deviceNo: number
  accepted: boolean
  /** In the provider's words; null: accepted. */
  reason: string | null
}

/** What became of asking a paused lane to go on. */
export type LaneResumed =
  /** It goes on. `restored`: tokens that were retired in doubt and are live again. */
  | { kind: 'open'; restored: number; tried: Tried[] }
  /** None of the deliveries that were tried was accepted. */
  | { kind: 'paused'; tried: Tried[] }
  /** No worker has said yet how the trial ended. */
  | { kind: 'trying'; hasWorkers: boolean }

/** Why a lane goes on or stays paused, in a sentence for the operator who asked. */
export function resumedWords(resumed: LaneResumed): string {
  switch (resumed.kind) {
    case 'open':
      if (resumed.tried.length > 0) return 'A delivery was accepted: the lane goes on.'
      return 'The lane goes on. Nothing waited that could be tried: the next delivery decides.'
    case 'paused': {
      if (resumed.tried.length === 0) {
        return 'The lane stays paused: what waits is withheld from its devices, so that nothing could be tried.'
      }
      const refused = resumed.tried
        .map(({ messageId, reason }) => `${reason} (message ${messageId})`)
        .join(', ')
      return `The lane stays paused: of ${resumed.tried.length} tried none was accepted: ${refused}.`
    }
    case 'trying':
      return resumed.hasWorkers
        ? 'A worker tries up to three deliveries. The lane stays paused until one is accepted.'
        : 'No worker runs: up to three deliveries are tried once one does, and the lane stays paused until then.'
  }
}
