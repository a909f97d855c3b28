import type { Recording } from '@pushkeep/store'

/** An outcome of one device. */
export function recording(deviceNo: number, over: Partial<Recording> = {}): Recording {
  return {
    chunkNo: '1',
    messageNo: '1',
    appNo: 1,
    provider: 'apns',
    deviceNo,
    personNo: null,
    status: 'sent',
    reason: null,
    attempts: 1,
    at: 0,
    effect: { lastStatus: 'sent', token: null, failures: 0 },
    epoch: 1,
    environment: null,
    ...over,
  }
}
