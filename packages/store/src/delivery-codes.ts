import type { DeliveryStatus, LastStatus } from '@pushkeep/domain'

/** Statuses as `deliveries.status` keeps them: two bytes a row where a word takes eight. */
export const statusCode: Record<DeliveryStatus, number> = {
  pending: 0,
  sent: 1,
  bounced: 2,
  suppressed: 3,
  failed: 4,
  expired: 5,
}

const statusByCode = new Map<number, DeliveryStatus>()
for (const status of ['pending', 'sent', 'bounced', 'suppressed', 'failed', 'expired'] as const) {
  statusByCode.set(statusCode[status], status)
}

/** The status behind a stored code. */
export function statusOf(code: number): DeliveryStatus {
  const status = statusByCode.get(code)
  if (!status) throw new Error(`unknown delivery status ${code}`)
  return status
}

/** `_last_status` in the write-back's arrays; -1 leaves it as it is. */
export function lastStatusCode(status: LastStatus | null): number {
  switch (status) {
    case null:
      return -1
    case '':
      return 0
    case 'sent':
      return 1
    case 'bounced':
      return 2
    case 'suppressed':
      return 3
  }
}
