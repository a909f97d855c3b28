/** `_last_status` of a device: what became of the last push to it. `''`: none since it registered. */
export type LastStatus = '' | 'sent' | 'bounced' | 'suppressed'

/** What happened to a device, as far as its status is concerned. */
export type DeviceEvent =
  | { kind: 'registered' }
  | { kind: 'accepted' }
  | { kind: 'token-dead' }
  /** A failure of this device that is no proof of death; `failures` before it, in a row. */
  | { kind: 'device-failed'; failures: number }
  /** Withheld by R7: its person, its permission or its token stands against it. */
  | { kind: 'withheld' }
  /** Reassigned, message's fault, credential's fault, expired before a try. */
  | { kind: 'untouched' }

/** What an event does to a device; `null` leaves a field as it is. */
export interface DeviceEffect {
  lastStatus: LastStatus | null
  /** `retired`: reads back as `push_enabled` "false" until it registers again. */
  token: 'live' | 'retired' | null
  /** Device-level failures in a row; at `failuresMax` nothing is sent until it registers again. */
  failures: number | null
}

/** The second failure in a row stops the sending. */
export const failuresMax = 2

/** The table of `_last_status` and `push_enabled`. */
export function deviceEffect(event: DeviceEvent): DeviceEffect {
  switch (event.kind) {
    case 'registered':
      return { lastStatus: '', token: 'live', failures: 0 }
    case 'accepted':
      return { lastStatus: 'sent', token: null, failures: 0 }
    case 'token-dead':
      return { lastStatus: 'bounced', token: 'retired', failures: null }
    case 'device-failed': {
      const failures = Math.min(event.failures + 1, failuresMax)
      const lastStatus = failures === failuresMax ? 'suppressed' : 'bounced'
      return { lastStatus, token: null, failures }
    }
    case 'withheld':
      return { lastStatus: 'suppressed', token: null, failures: null }
    case 'untouched':
      return { lastStatus: null, token: null, failures: null }
  }
}
