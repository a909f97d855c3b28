import { provenBy, type ReceiptEvent } from '@pushkeep/domain'

/** Events as `receipts.events` keeps them: a bit each. */
export const eventBit: Record<ReceiptEvent, number> = {
  delivered: 1,
  opened: 2,
  clicked: 4,
  converted: 8,
}

/** The bits of everything that an event proves. */
export function eventBits(event: ReceiptEvent): number {
  return provenBy(event).reduce((bits, proven) => bits | eventBit[proven], 0)
}
