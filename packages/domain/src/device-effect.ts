/** `_last_status` of a device: what became of the last push to it. `''`: none since it registered. */
export type LastStatus = '' | 'sent' | 'bounced' | 'suppressed'

/** What happened to a device, as far as its status is concerned. */
export type DeviceEvent =
  | { kind: 'registered' }
  | { kind: 'accepted' }
  | { kind: 'token-dead' }
  /** An ambiguous answer: the device may be another app's. `failures` before it, in a row. */
  | { kind: 'doubted'; failures: number }
  /** Withheld by R7: its person, its permission or its token stands against it. */
  | { kind: 'withheld' }
  /** Reassigned, message's fault, credential's fault, expired before a try. */
  | { kind: 'untouched' }

/** What an event does to a device; `null` leaves a field as it is. */
export interface DeviceEffect {
  lastStatus: LastStatus | null
  /** `retired`: reads back as `push_enabled` "false" until it registers again. */
  token: 'live' | 'retired' | null
  /** Ambiguous answers in a row; at `failuresMax` nothing is sent until it registers again. */
  failures: number | null
}

/** The third ambiguous answer in a row, while other devices of its app were accepted, stops the sending. */
export const failuresMax = 3

/** The table of `_last_status` and `push_enabled`. */
export function deviceEffect(event: DeviceEvent): DeviceEffect {
  switch (event.kind) {
    case 'registered':
      return { lastStatus: '', token: 'live', failures: 0 }
    case 'accepted':
      return { lastStatus: 'sent', token: null, failures: 0 }
    case 'token-dead':
      return { lastStatus: 'bounced', token: 'retired', failures: null }
    case 'doubted': {
      const failures = Math.min(event.failures + 1, failuresMax)
      return { lastStatus: null, token: null, failures }
    }
    case 'withheld':
      return { lastStatus: 'suppressed', token: null, failures: null }
    case 'untouched':
      return { lastStatus: null, token: null, failures: null }
  }
}
