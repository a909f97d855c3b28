import { invalid } from '@pushkeep/runtime'

/** Most bytes of one message or operation, as Customer.io has it. */
export const itemBytesMax = 32_768

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
