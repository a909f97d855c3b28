/** Where one message to one device stands. `pending` has been tried and will be tried again. */
export type DeliveryStatus = 'sent' | 'bounced' | 'suppressed' | 'failed' | 'expired' | 'pending'

/** The statuses that end a delivery. */
export type SettledStatus = Exclude<DeliveryStatus, 'pending'>

export const settledStatuses = [
  'sent',
  'bounced',
  'suppressed',
  'failed',
  'expired',
] as const satisfies readonly SettledStatus[]

export const deliveryStatuses = [
  ...settledStatuses,
  'pending',
] as const satisfies readonly DeliveryStatus[]

/** Why a delivery was withheld at the moment of sending (R6, R7, or its message was cancelled). */
export type WithheldReason =
  | 'reassigned'
  | 'deleted'
  | 'replaced'
  | 'person_suppressed'
  | 'push_disabled'
  | 'token_dead'
  | 'wrong_app'
  | 'cancelled'

/** The `Record` makes a forgotten reason a compile error. */
const withheldByR7: Record<WithheldReason, boolean> = {
  reassigned: false,
  deleted: false,
  replaced: false,
  person_suppressed: true,
  push_disabled: true,
  token_dead: true,
  wrong_app: true,
  cancelled: false,
}

/** Whether the device (and not its change of hands) is why nothing was sent, so that it shows. */
export function isWithheldByDeviceState(reason: WithheldReason): boolean {
  return withheldByR7[reason]
}

export const withheldReasons = Object.keys(withheldByR7) as readonly WithheldReason[]

/**
 * Recipients of a message by status. `pending` is what is neither settled nor lost, so that
 * recipients = sent + bounced + suppressed + failed + expired + pending at any time (R4).
 */
export interface DeliveryCounts {
  recipients: number
  sent: number
  bounced: number
  suppressed: number
  failed: number
  expired: number
  pending: number
}

/**
 * Whether the ledger of a message adds up (R4): what is pending is somebody's work, and where no
 * work is left nothing is pending.
 */
export function isBalanced(counts: DeliveryCounts, hasOpenWork: boolean): boolean {
  const { recipients, pending } = counts
  const settled = settledStatuses.reduce((sum, status) => sum + counts[status], 0)
  return settled + pending === recipients && (pending === 0 || (pending > 0 && hasOpenWork))
}
