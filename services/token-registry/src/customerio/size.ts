import { invalid } from '@pushkeep/runtime'

/** Most bytes of one message or operation, as Customer.io has it. */
export const itemBytesMax = 32_768

/** Most items of a batch: as many as fit into its bytes if each is as short as a useful one can be. */
export const batchItemsMax = 5000

/** The items of a batch. Throws where it is no list, or too long. */
export function batchItems(batch: unknown): unknown[] {
  if (!Array.isArray(batch)) throw invalid([{ path: 'batch', message: 'must be a list' }])
  if (batch.length > batchItemsMax) {
    throw invalid([{ path: 'batch', message: `must have at most ${batchItemsMax} items` }])
  }
  return batch
}

/** Refuses a part of a batch that is larger than a part may be. */
export function checkSize(item: unknown, place: string): void {
  if (bytesOf(item) > itemBytesMax)
    throw invalid([{ path: place, message: 'must be at most 32 kB' }])
}

/** The bytes of a value as JSON; without end where it nests too deep to be written. */
function bytesOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '')
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
